/** Minor units as people write them: 2500 is 25.00. */
export const money = (minor: number): string => `${Math.trunc(minor / 100)}.${String(minor % 100).padStart(2, '0')}`

/** 2031-01-01T01:00:00.000Z is 2031-01-01 01:00. */
export const moment = (iso: string): string => iso.slice(0, 16).replace('T', ' ')
