import { define } from '../../../platform/runtime/function.js'
import { bookableKinds } from '../booking.kinds.js'
import { bookings } from '../contract.js'

export default define(bookings.tidyThings, async (ctx) => {
  const report = { cleared: 0, forgotten: 0 }
  for (const kind of bookableKinds().values()) {
    const { cleared, forgotten } = (await kind.tidy?.(ctx)) ?? { cleared: 0, forgotten: 0 }
    report.cleared += cleared
    report.forgotten += forgotten
  }
  return report
})
