import type { mongo } from 'mongoose'

/** An update whose fields are named at run time: the driver's types follow only those that a document's type names. */
export const updateOf = (change: Record<string, object>): mongo.UpdateFilter<mongo.Document> => change
