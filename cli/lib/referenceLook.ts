/** How docs/reference.html looks, and how it is searched. */

export const STYLE = `
:root { --text: #1c2024; --dim: #5f6b76; --line: #d9dfe5; --back: #ffffff; --raised: #f4f6f8; --link: #0a5cad; --mark: #fff3bf }
@media (prefers-color-scheme: dark) {
  :root { --text: #e3e8ee; --dim: #9aa7b4; --line: #323a43; --back: #14181c; --raised: #1d2329; --link: #7db8f5; --mark: #4a3f13 }
}
* { box-sizing: border-box }
html { scroll-padding-top: 4rem }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back);
  display: grid; grid-template: auto 1fr / 17rem minmax(0, 1fr) }
header { grid-column: 1 / -1; position: sticky; top: 0; z-index: 1; display: flex; gap: 1rem; align-items: center;
  padding: .6rem 1rem; background: var(--back); border-bottom: 1px solid var(--line) }
header strong { white-space: nowrap }
#search { flex: 1; max-width: 36rem; min-width: 0; font: inherit; padding: .3rem .6rem; color: inherit;
  background: var(--raised); border: 1px solid var(--line); border-radius: 6px }
#found { color: var(--dim); white-space: nowrap }
nav { position: sticky; top: 3.4rem; max-height: calc(100vh - 3.4rem); overflow-y: auto; padding: 0 1rem 2rem;
  border-right: 1px solid var(--line); font-size: .9rem }
nav h2 { font-size: .9rem; margin: 1rem 0 .2rem; border: 0; padding: 0 }
nav ul { list-style: none; margin: 0; padding: 0 0 0 .7rem }
main { padding: 0 2rem 6rem; max-width: 60rem }
a { color: var(--link); text-decoration: none }
a:hover { text-decoration: underline }
h2, h3 { line-height: 1.25 }
main h2 { margin: 3rem 0 0; padding-bottom: .3rem; border-bottom: 1px solid var(--line) }
h2 a, h3 a { color: inherit }
main h2 a::after, h3 a::after { content: ' #'; color: var(--dim); opacity: 0 }
main h2 a:hover::after, h3 a:hover::after { opacity: 1 }
h3 { margin: 2rem 0 .3rem; font-size: 1.2rem; overflow-wrap: anywhere }
h4 { margin: 1rem 0 .2rem; font-size: .85rem; color: var(--dim) }
section:target h3 { background: var(--mark) }
p { margin: .4rem 0 }
.facts { color: var(--dim) }
code, pre { font: .88em/1.45 ui-monospace, monospace }
code { overflow-wrap: anywhere }
td code, td:last-child { white-space: nowrap }
pre { margin: .3rem 0; padding: .7rem; overflow-x: auto; background: var(--raised); border-radius: 6px }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .92rem }
th { text-align: left; font-weight: normal; color: var(--dim) }
th, td { padding: .2rem 1.2rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
summary { cursor: pointer; color: var(--link); margin-top: .8rem }
[hidden] { display: none }
@media (max-width: 50rem) {
  body { display: block }
  nav { display: none }
  main { padding: 0 1rem 4rem }
  header strong { display: none }
}
`

/** Sections stay that have all the words; names of operations and errors are found in them, fields and texts, too. */
export const SCRIPT = `
const search = document.getElementById('search')
const found = document.getElementById('found')
const sections = [...document.querySelectorAll('section')].map((section) => ({ section, text: section.textContent.toLowerCase() }))
const entries = new Map([...document.querySelectorAll('nav li a')].map((a) => [a.hash.slice(1), a.parentElement]))
function show() {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean)
  let count = 0
  for (const { section, text } of sections) {
    section.hidden = !words.every((word) => text.includes(word))
    if (!section.hidden) count++
    const entry = entries.get(section.id)
    if (entry) entry.hidden = section.hidden
  }
  for (const heading of document.querySelectorAll('main h2')) {
    let next = heading.nextElementSibling
    while (next && next.tagName === 'SECTION' && next.hidden) next = next.nextElementSibling
    heading.hidden = next === null || next.tagName !== 'SECTION'
  }
  found.textContent = words.length > 0 ? count + ' found' : ''
}
search.addEventListener('input', show)
addEventListener('hashchange', () => {
  const target = document.getElementById(location.hash.slice(1))
  if (!target || !target.closest('[hidden]')) return
  search.value = ''
  show()
  target.scrollIntoView()
})
addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.target === search) return
  event.preventDefault()
  search.focus()
})
show()
`
