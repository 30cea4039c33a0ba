/** For a projection: `bytes`, the size of the whole document, which the server knows without looking into it. */
export const bytesOf = { bytes: { $bsonSize: '$$ROOT' } }
