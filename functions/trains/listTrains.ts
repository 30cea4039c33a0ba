import { define } from '../../platform/runtime/function.js'
import { pageOf } from '../../platform/runtime/pages.js'
import { searchKey } from '../../platform/lib/searchKey.js'
import { trains } from './contract.js'
import { trainListCache } from './train.access.js'
import { Train } from './train.model.js'
import { presentTrain, SHOWN_FIELDS } from './train.presenter.js'

export default define(trains.listTrains, async (ctx, { route, from, to, seats, limit, cursor }) => {
  const key = JSON.stringify([route, from, to, seats, limit, cursor])
  return ctx.use(trainListCache).read(key, async () => {
    const departure = { ...(from && { $gte: new Date(from) }), ...(to && { $lt: new Date(to) }) }
    const { documents, nextCursor } = await pageOf(
      ctx.model(Train),
      {
        deleted: false,
        ...(route !== undefined && { routeKey: searchKey(route) }),
        ...((from || to) && { departureTime: departure }),
        ...(seats !== undefined && { seatsLeft: { $gte: seats } }),
      },
      { limit, cursor },
      'oldestFirst',
      { projection: SHOWN_FIELDS },
    )
    return { items: documents.map(presentTrain), nextCursor }
  })
})
