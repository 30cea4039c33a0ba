import mongoose from 'mongoose'

/** Money is stored as a 64-bit integer: a plain JS number would become a double once it passes 2^31. */
export const long = (minor: number): mongoose.mongo.Long => mongoose.mongo.Long.fromNumber(minor)
