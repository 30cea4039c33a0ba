const UNITS = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1000 },
]

/** A span for people, in its largest whole unit: `12 min`. */
export function inWords(ms: number): string {
  const unit = UNITS.find((each) => ms >= each.ms)
  return unit ? `${Math.floor(ms / unit.ms)} ${unit.name}` : `${Math.max(0, Math.round(ms))} ms`
}
