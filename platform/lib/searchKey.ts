/**
 * What names are found by, whatever the case and the language: `İstanbul`, `istanbul` and `ISTANBUL` have one key, which
 * lower case alone does not give. What a key begins with, the key of a longer name begins with too.
 */
export const searchKey = (text: string): string =>
  text.normalize('NFC').toUpperCase().toLowerCase().replaceAll('i\u0307', 'i').replaceAll('ς', 'σ')
