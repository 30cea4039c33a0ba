// Made by `npm run docs` from the contracts; edit those.

export type Booking = {
  id: string
  userId: string
  carId?: string
  roomId?: string
  trainId?: string
  passengers?: { name: string; seat?: number }[]
  version?: number
  from: string
  to: string
  cost: number
  state: 'INITIAL' | 'PENDING' | 'APPLIED' | 'COMMITTED' | 'CANCELLING' | 'CANCELLED'
  reason?: string
  reverses?: string
  reversedBy?: string
  standing: 'active' | 'cancelled' | 'ended'
  parked?: boolean
  createdAt: string
  lastModified: string
}

export type CalendarItem = {
  id: string
  buyerId: string
  sellerId: string
  from: string
  to: string
  note: string
  price?: number
  state: 'invited' | 'confirming' | 'confirmed' | 'cancelling' | 'cancelled' | 'rejected' | 'withdrawn'
  reason?: string
  proposal?: { by: 'buyer' | 'seller'; from: string; to: string }
  cancelledBy?: 'buyer' | 'seller' | 'admin'
  version: number
}

export type Invitation = {
  id: string
  buyerId: string
  sellerId: string
  from: string
  to: string
  note: string
  price?: number
  state: 'invited' | 'confirming' | 'confirmed' | 'cancelling' | 'cancelled' | 'rejected' | 'withdrawn'
  reason?: string
  proposal?: { by: 'buyer' | 'seller'; from: string; to: string }
  cancelledBy?: 'buyer' | 'seller' | 'admin'
  version: number
  updatedAt: string
  seq: number
}

export type AdminAlert = { name: string; message: string; chargeId: string; refundId?: string; amount: number }

export type DeadEvent = {
  eventId: string
  type: string
  aggregate: { type: string; id: string }
  version: number
  payload: Record<string, unknown>
  failures: { at: string; subscriber: string; code: string; message: string; requestId: string; cause?: string }[]
  createdAt: string
  deadAt: string
}

export type Trouble = { about: string; message: string; since: string }

export type FeedEntry = {
  feed: string
  seq: number
  key: string
  name: string
  data: Record<string, unknown>
  at: string
  also?: { feed: string; seq: number }[]
  ends?: { userId?: string }
}

export type Lobby = { id: string; trainId: string; createdAt: string }

export type Message = {
  id: string
  fromUserId: string
  toUserId: string
  text: string
  invitationId?: string
  number: number
  sentAt: string
}

export type Order = {
  id: string
  userId: string
  ticketId: string
  price: number
  state: 'created' | 'awaiting_payment' | 'complete' | 'cancelled'
  reason?: 'expired' | 'cancelled_by_user' | 'cancelled_by_admin' | 'refunded'
  expiresAt: string
  chargeId?: string
  version: number
  createdAt: string
  updatedAt: string
}

export type OrderNews = {
  id: string
  userId: string
  ticketId: string
  price: number
  state: 'created' | 'awaiting_payment' | 'complete' | 'cancelled'
  reason?: 'expired' | 'cancelled_by_user' | 'cancelled_by_admin' | 'refunded'
  expiresAt: string
  chargeId?: string
  version: number
  createdAt: string
  updatedAt: string
  sellerId: string
  hold: number
}

export type Charge = {
  id: string
  orderId: string
  userId: string
  amount: number
  method: 'balance' | 'stripe'
  state: 'pending' | 'failed' | 'paid' | 'accepted' | 'settled' | 'refunding' | 'refunded'
  reason?: string
  clientSecret?: string
  refunded: number
  refunds: {
    id: string
    amount: number
    origin: 'order' | 'admin' | 'stripe' | 'dispute'
    state: 'waiting' | 'sending' | 'pending' | 'disputed' | 'refunded' | 'failed' | 'rejected'
    reason: string
    seller?: 'none' | 'debiting' | 'debited' | 'owes' | 'waived' | 'crediting' | 'credited'
    stripeId?: string
    stripeStatus?: string
    createdAt: string
    lastModified: string
  }[]
  parked?: boolean
  attention?: boolean
  version: number
  createdAt: string
  lastModified: string
}

export type OrderHold = { id: string; ticketId: string; hold: number; state: string }

export type Ticket = {
  id: string
  userId: string
  title: string
  price: number
  orderId?: string
  version: number
  createdAt: string
  updatedAt: string
}

export type Train = {
  id: string
  route: string
  departureTime: string
  arrivalTime: string
  seats: number
  availableSeats: number
  pricePerSeat: number
  calledOff?: { at: string; reason: string }
  version: number
  createdAt: string
  updatedAt: string
}

export type LedgerEntry = {
  id: string
  at: string
  cause:
    | 'deposit'
    | 'withdrawal'
    | 'booking'
    | 'booking_undone'
    | 'reversal'
    | 'payment'
    | 'payment_undone'
    | 'refund'
    | 'receipt'
  causeId: string
  change: number
  balanceAfter: number
}

export type User = {
  id: string
  name: string
  email: string
  role: 'user' | 'admin'
  balance: number
  bookings: string[]
  pendingBookings: string[]
  version: number
  createdAt: string
  updatedAt: string
}

/** What a refusal may be; docs/errors.md says what to check for each. */
export type ErrorCode =
  | 'invalid_input'
  | 'unauthenticated'
  | 'forbidden'
  | 'unknown_operation'
  | 'rate_limited'
  | 'quota_exceeded'
  | 'deadline_exceeded'
  | 'unavailable'
  | 'internal'
  | 'version_conflict'
  | 'email_taken'
  | 'user_not_found'
  | 'user_id_reused'
  | 'api_key_not_found'
  | 'api_key_id_reused'
  | 'mail_unavailable'
  | 'mail_not_found'
  | 'mail_token_invalid'
  | 'session_not_found'
  | 'deposit_id_reused'
  | 'withdrawal_id_reused'
  | 'transfer_not_found'
  | 'insufficient_funds'
  | 'balance_limit_exceeded'
  | 'booking_not_found'
  | 'booking_outstanding'
  | 'booking_id_reused'
  | 'booking_state_changed'
  | 'too_many_bookings'
  | 'booking_started'
  | 'price_changed'
  | 'booking_not_stuck'
  | 'out_of_order'
  | 'event_not_found'
  | 'event_not_dead'
  | 'ticket_not_found'
  | 'ticket_id_reused'
  | 'ticket_reserved'
  | 'too_many_orders'
  | 'order_too_soon'
  | 'order_not_found'
  | 'order_id_reused'
  | 'order_complete'
  | 'order_cancelled'
  | 'charge_not_found'
  | 'charge_id_reused'
  | 'charge_not_refundable'
  | 'charge_disputed'
  | 'refund_not_found'
  | 'refund_id_reused'
  | 'refund_exceeds_charge'
  | 'refund_rejected'
  | 'refund_not_resolvable'
  | 'own_ticket'
  | 'amount_not_payable'
  | 'payment_declined'
  | 'payment_method_unavailable'
  | 'payment_not_found'
  | 'payment_id_reused'
  | 'payment_cancelled'
  | 'payment_not_refundable'
  | 'payment_not_stuck'
  | 'booking_not_cancellable'
  | 'invitation_not_found'
  | 'invitation_id_reused'
  | 'invitation_not_open'
  | 'invitation_not_confirmed'
  | 'cancellation_too_late'
  | 'move_not_proposed'
  | 'confirmation_id_reused'
  | 'period_in_past'
  | 'seller_unavailable'
  | 'calendar_full'
  | 'too_many_invitations'
  | 'message_not_found'
  | 'message_id_reused'
  | 'receiver_blocked'
  | 'blocked_by_receiver'
  | 'train_not_found'
  | 'train_id_reused'
  | 'train_has_bookings'
  | 'seats_unavailable'
  | 'train_called_off'
  | 'seats_sold'
  | 'lobby_not_found'
  | 'lobby_id_reused'
  | 'not_in_lobby'
  | 'removed_from_lobby'
  | 'booking_not_updatable'
  | 'view_behind'
  | 'car_not_found'
  | 'car_id_reused'
  | 'car_retired'
  | 'car_unavailable'
  | 'room_not_found'
  | 'room_id_reused'
  | 'room_retired'
  | 'room_unavailable'

/** Every operation that clients may call: what it takes, what it answers, and its own refusals. */
export interface Operations {
  /** Puts a car up for booking. */
  createCar: {
    input: { carId?: string; name: string; pricePerHour: number }
    data: {
      id: string
      retired: boolean
      version: number
      createdAt: string
      updatedAt: string
      name: string
      pricePerHour: number
      bookings?: { id: string; from: string; to: string }[]
      pendingBookings?: string[]
    }
    errors: 'car_id_reused'
  }

  /** Changes name or price (of later bookings), or retires the car: bookings stand, new ones are refused. */
  updateCar: {
    input: { carId: string; version: number; set: { name?: string; pricePerHour?: number; retired?: boolean } }
    data: {
      id: string
      retired: boolean
      version: number
      createdAt: string
      updatedAt: string
      name: string
      pricePerHour: number
      bookings?: { id: string; from: string; to: string }[]
      pendingBookings?: string[]
    }
    errors: 'car_not_found' | 'version_conflict'
  }

  /** Cars, oldest first; with a period only those that are free in it. Retired ones are for admins. */
  listCars: {
    input: { from?: string | Date; to?: string | Date; limit?: number; cursor?: string }
    data: {
      items: {
        id: string
        retired: boolean
        version: number
        createdAt: string
        updatedAt: string
        name: string
        pricePerHour: number
        bookings?: { id: string; from: string; to: string }[]
        pendingBookings?: string[]
      }[]
      nextCursor: string | null
    }
    errors: 'invalid_input'
  }

  /** One car; with a period also when it is busy in it. */
  getCar: {
    input: { carId: string; from?: string | Date; to?: string | Date }
    data: {
      id: string
      retired: boolean
      version: number
      createdAt: string
      updatedAt: string
      name: string
      pricePerHour: number
      bookings?: { id: string; from: string; to: string }[]
      pendingBookings?: string[]
      busy?: { from: string; to: string }[]
    }
    errors: 'car_not_found'
  }

  /** Puts rooms of a kind up for booking: so many units, by the night of a time zone. */
  createRoom: {
    input: { roomId?: string; name: string; pricePerNight: number; units: number; timeZone?: string }
    data: {
      id: string
      retired: boolean
      version: number
      createdAt: string
      updatedAt: string
      name: string
      pricePerNight: number
      units: number
      timeZone: string
    }
    errors: 'room_id_reused'
  }

  /** Changes name, price (of later bookings) or units, or retires the room: bookings stand, new ones are refused. */
  updateRoom: {
    input: {
      roomId: string
      version: number
      set: { name?: string; pricePerNight?: number; units?: number; retired?: boolean }
    }
    data: {
      id: string
      retired: boolean
      version: number
      createdAt: string
      updatedAt: string
      name: string
      pricePerNight: number
      units: number
      timeZone: string
    }
    errors: 'room_not_found' | 'version_conflict' | 'room_unavailable'
  }

  /** Rooms, oldest first; with a period only those with a unit free on each of its nights, so a page may be short. */
  listRooms: {
    input: { from?: string | Date; to?: string | Date; limit?: number; cursor?: string }
    data: {
      items: {
        id: string
        retired: boolean
        version: number
        createdAt: string
        updatedAt: string
        name: string
        pricePerNight: number
        units: number
        timeZone: string
      }[]
      nextCursor: string | null
    }
    errors: 'invalid_input'
  }

  /** One room; with a period also how many units are free on each of its nights. */
  getRoom: {
    input: { roomId: string; from?: string | Date; to?: string | Date }
    data: {
      id: string
      retired: boolean
      version: number
      createdAt: string
      updatedAt: string
      name: string
      pricePerNight: number
      units: number
      timeZone: string
      free?: number
    }
    errors: 'room_not_found'
  }

  /** Books a thing for a period against the balance; answers when it is COMMITTED. */
  createBooking: {
    input: {
      bookingId?: string
      userId?: string
      maxCost?: number
      carId?: string
      roomId?: string
      from: string | Date
      to: string | Date
    }
    data: Booking
    errors:
      | 'quota_exceeded'
      | 'forbidden'
      | 'booking_id_reused'
      | 'car_not_found'
      | 'car_retired'
      | 'room_not_found'
      | 'room_retired'
      | 'user_not_found'
      | 'invalid_input'
      | 'booking_started'
      | 'price_changed'
      | 'insufficient_funds'
      | 'too_many_bookings'
      | 'booking_outstanding'
      | 'car_unavailable'
      | 'room_unavailable'
      | 'booking_state_changed'
  }

  /** Books seats on a train; answers when the booking is registered. booking:confirmed or booking:rejected follows. */
  startBooking: {
    input: {
      bookingId?: string
      userId?: string
      maxCost?: number
      lobbyId?: string
      trainId?: string
      passengers?: { name: string }[]
    }
    data: { bookingId: string; message: string }
    errors:
      | 'quota_exceeded'
      | 'forbidden'
      | 'booking_id_reused'
      | 'lobby_not_found'
      | 'removed_from_lobby'
      | 'train_not_found'
      | 'train_called_off'
      | 'user_not_found'
      | 'invalid_input'
      | 'booking_started'
      | 'price_changed'
      | 'too_many_bookings'
      | 'booking_outstanding'
  }

  /** Changes what a booking that stands leaves open: of a train, the passengers' names. */
  updateBooking: {
    input: { bookingId: string; version: number; set: { passengers?: { name: string }[] } }
    data: Booking
    errors: 'booking_not_found' | 'booking_not_updatable' | 'version_conflict' | 'invalid_input'
  }

  /** One booking: own ones, or any for admins. */
  getBooking: { input: { bookingId: string }; data: Booking; errors: 'booking_not_found' }

  /** Bookings, newest first: own ones, or any for admins. */
  listBookings: {
    input: {
      userId?: string
      state?: 'INITIAL' | 'PENDING' | 'APPLIED' | 'COMMITTED' | 'CANCELLING' | 'CANCELLED'
      standing?: 'active' | 'cancelled' | 'ended'
      limit?: number
      cursor?: string
    }
    data: { items: Booking[]; nextCursor: string | null }
    errors: 'forbidden' | 'invalid_input'
  }

  /** A booking's story, for operators: the request that made it, each takeover, its reversal, what waits. */
  traceBooking: {
    input: { bookingId: string }
    data: {
      booking: Booking
      requestId: string
      epoch: number
      repairs: {
        at: string
        by: string
        from: 'INITIAL' | 'PENDING' | 'APPLIED' | 'COMMITTED' | 'CANCELLING' | 'CANCELLED'
        why: string
      }[]
      waitingEvents: string[]
      reversal?: Booking
    }
    errors: 'booking_not_found'
  }

  /** Bookings that have not moved for RECOVERY_STUCK_AFTER_MS, and parked ones, oldest first. */
  listStuckBookings: {
    input: { parked?: boolean; limit?: number; cursor?: string }
    data: { items: Booking[]; nextCursor: string | null }
    errors: 'invalid_input'
  }

  /** Takes a booking back: own ones until they begin (of a train: until TRAIN_CANCEL_NOTICE_MS before it leaves by now), admins always. Answers when the money is back. */
  cancelBooking: {
    input: { bookingId: string }
    data: { booking: Booking; reversal?: Booking }
    errors:
      | 'booking_not_found'
      | 'booking_not_cancellable'
      | 'booking_started'
      | 'cancellation_too_late'
      | 'booking_outstanding'
  }

  /** Takes over a stuck booking below APPLIED and moves it to APPLIED (or CANCELLED, if it is refused). */
  applyBooking: {
    input: { bookingId: string }
    data: Booking
    errors: 'booking_not_found' | 'booking_not_stuck' | 'booking_state_changed'
  }

  /** Takes over a stuck APPLIED booking and moves it to COMMITTED. */
  commitBooking: {
    input: { bookingId: string }
    data: Booking
    errors: 'booking_not_found' | 'booking_not_stuck' | 'booking_state_changed'
  }

  /** Drives stuck bookings to their end; the recovery job calls it. With bookingId one, parked or not. */
  recoverBookings: {
    input: { dryRun?: boolean; bookingId?: string }
    data: { examined: number; reapplied: number; committed: number; cancelled: number; parked: number }
    errors: 'booking_not_found' | 'booking_not_stuck'
  }

  /** Checks all books on the live system: money, payments, all that is booked, markers, outstanding bookings. */
  auditBooks: {
    input: Record<string, never>
    data: {
      ok: boolean
      checked: { users: number; cars: number; rooms: number; trains: number; bookings: number }
      violations: { rule: string; entityId: string; detail: string }[]
      parked: string[]
      parkedPayments: string[]
      unresolvedCharges: string[]
      parkedTransfers: string[]
      parkedInvitations: string[]
      parkedTimers: string[]
      untold?: Record<string, number>
    }
    errors: never
  }

  /** Invites a seller to a booking, at a price if one is named. Answers the invitation. A seller has at most MAX_OPEN_INVITATIONS open ones of a buyer. */
  inviteToBooking: {
    input: {
      invitationId?: string
      sellerId: string
      from: string | Date
      to: string | Date
      note: string
      price?: number
    }
    data: Invitation
    errors:
      | 'quota_exceeded'
      | 'invitation_id_reused'
      | 'period_in_past'
      | 'user_not_found'
      | 'receiver_blocked'
      | 'blocked_by_receiver'
      | 'too_many_invitations'
      | 'calendar_full'
  }

  /** The buyer proposes another period, while the invitation is open. */
  rescheduleInvitation: {
    input: { invitationId: string; from: string | Date; to: string | Date; version?: number }
    data: Invitation
    errors:
      | 'quota_exceeded'
      | 'invitation_not_found'
      | 'forbidden'
      | 'invitation_not_open'
      | 'version_conflict'
      | 'period_in_past'
      | 'receiver_blocked'
      | 'blocked_by_receiver'
      | 'calendar_full'
  }

  /** The buyer takes an open invitation back. */
  withdrawInvitation: {
    input: { invitationId: string; version?: number }
    data: Invitation
    errors: 'invitation_not_found' | 'forbidden' | 'invitation_not_open' | 'version_conflict'
  }

  /** The seller turns an open invitation down. */
  rejectInvitation: {
    input: { invitationId: string; reason: string; version?: number }
    data: Invitation
    errors: 'invitation_not_found' | 'forbidden' | 'invitation_not_open' | 'version_conflict'
  }

  /** The seller accepts an open invitation; with a price, once the buyer has paid. Answers when that is decided, once per confirmationId. */
  confirmInvitation: {
    input: { invitationId: string; confirmationId?: string; version?: number }
    data: Invitation
    errors:
      | 'quota_exceeded'
      | 'invitation_not_found'
      | 'forbidden'
      | 'confirmation_id_reused'
      | 'invitation_not_open'
      | 'version_conflict'
      | 'period_in_past'
      | 'seller_unavailable'
      | 'insufficient_funds'
      | 'payment_cancelled'
  }

  /** Buyer or seller take a confirmed invitation back, until INVITATION_CANCEL_NOTICE_MS before it begins; admins always. Answers when the buyer has the price back. */
  cancelInvitation: {
    input: { invitationId: string; reason: string; version?: number }
    data: Invitation
    errors:
      | 'quota_exceeded'
      | 'invitation_not_found'
      | 'invitation_not_confirmed'
      | 'version_conflict'
      | 'cancellation_too_late'
      | 'insufficient_funds'
      | 'payment_cancelled'
  }

  /** Buyer or seller propose another period for a confirmed invitation; it stands until the other consents. */
  proposeMove: {
    input: { invitationId: string; from: string | Date; to: string | Date; version?: number }
    data: Invitation
    errors:
      | 'quota_exceeded'
      | 'invitation_not_found'
      | 'forbidden'
      | 'invitation_not_confirmed'
      | 'version_conflict'
      | 'period_in_past'
      | 'receiver_blocked'
      | 'blocked_by_receiver'
  }

  /** The other side consents to the proposed period, which then holds; or either side ends the proposal. */
  answerMove: {
    input: { invitationId: string; accept: boolean; version?: number }
    data: Invitation
    errors:
      | 'quota_exceeded'
      | 'invitation_not_found'
      | 'invitation_not_confirmed'
      | 'version_conflict'
      | 'move_not_proposed'
      | 'forbidden'
      | 'period_in_past'
      | 'seller_unavailable'
      | 'calendar_full'
  }

  /** One invitation as it stands: own ones, or any for admins. */
  getInvitation: { input: { invitationId: string }; data: Invitation; errors: 'invitation_not_found' }

  /** The caller's bookings and open invitations that touch a period, as seller or as buyer, by start, and on which days of the time zone those of this page fall. Counts as 5 requests against the rate. */
  getCalendar: {
    input: {
      from: string | Date
      to: string | Date
      as: 'seller' | 'buyer'
      timeZone?: string
      after?: number
      cursor?: string
    }
    data: {
      items: CalendarItem[]
      days: { date: string; from: string; to: string; invitationIds: string[] }[]
      nextCursor: string | null
    }
    errors: 'invalid_input' | 'view_behind'
  }

  /** The caller's calendar as an iCalendar text (RFC 5545): confirmed bookings, open invitations as tentative, and what was cancelled. What does not fit into one text goes on in the next. Counts as 10 requests against the rate. */
  exportCalendar: {
    input: {
      from: string | Date
      to: string | Date
      as: 'seller' | 'buyer'
      timeZone?: string
      after?: number
      cursor?: string
    }
    data: { contentType: 'text/calendar'; text: string; nextCursor: string | null }
    errors: 'invalid_input' | 'view_behind'
  }

  /** Drives confirmations and cancellations whose payment is under way to their end; the recovery job calls it. With invitationId one, parked or not. */
  recoverInvitations: {
    input: { invitationId?: string }
    data: { examined: number; confirmed: number; cancelled: number; refused: number; parked: number }
    errors: 'invitation_not_found'
  }

  /** Events that a subscriber failed 15 times, newest first: they wait for an admin, and later ones of the same entity with them. */
  listDeadEvents: {
    input: { limit?: number; cursor?: string }
    data: { items: DeadEvent[]; nextCursor: string | null }
    errors: 'invalid_input'
  }

  /** Sends a dead event again, to the subscribers that have not answered it, with 15 attempts as at first. */
  redriveEvent: { input: { eventId: string }; data: { eventId: string }; errors: 'event_not_found' | 'event_not_dead' }

  /** Opens a lobby of a train. */
  createLobby: {
    input: { lobbyId?: string; trainId: string }
    data: Lobby
    errors: 'lobby_id_reused' | 'train_not_found'
  }

  /** Closes a lobby: who is in it gets lobby:deleted as its last message. */
  deleteLobby: { input: { lobbyId: string }; data: { lobbyId: string }; errors: 'lobby_not_found' }

  /** One lobby, and who is there now: of many the first 1,000. */
  getLobby: {
    input: { lobbyId: string }
    data: { id: string; trainId: string; createdAt: string; members: string[]; memberCount: number }
    errors: 'lobby_not_found'
  }

  /** Lobbies, oldest first; of one train, or of all. */
  listLobbies: {
    input: { trainId?: string; limit?: number; cursor?: string }
    data: { items: Lobby[]; nextCursor: string | null }
    errors: 'invalid_input'
  }

  /** Lets this connection into a lobby, from `seq` of the answer on; with lastSeq, from behind that, so nothing is missed. */
  joinLobby: {
    input: { lobbyId: string; lastSeq?: number }
    data: { id: string; trainId: string; createdAt: string; members: string[]; memberCount: number; seq: number }
    errors: 'lobby_not_found' | 'removed_from_lobby' | 'invalid_input'
  }

  /** Takes this connection out of a lobby. */
  leaveLobby: { input: { lobbyId: string }; data: { lobbyId: string }; errors: never }

  /** Says something to everyone in a lobby, as lobby:message. Counts as 5 requests against the rate. */
  postToLobby: {
    input: { messageId?: string; lobbyId: string; text: string }
    data: { messageId: string; seq: number }
    errors: 'quota_exceeded' | 'not_in_lobby' | 'lobby_not_found' | 'removed_from_lobby' | 'message_id_reused'
  }

  /** Puts a user out of a lobby, for good: all connections get lobby:removed, those of the user as their last. */
  removeFromLobby: {
    input: { lobbyId: string; userId: string }
    data: { lobbyId: string; userId: string }
    errors: 'lobby_not_found'
  }

  /** Sends a text to another user, about an invitation of the two if one is named. */
  sendMessage: {
    input: { messageId?: string; toUserId: string; text: string; invitationId?: string }
    data: {
      id: string
      fromUserId: string
      toUserId: string
      text: string
      invitationId?: string
      number: number
      sentAt: string
      seq: number
    }
    errors:
      | 'quota_exceeded'
      | 'message_id_reused'
      | 'user_not_found'
      | 'invitation_not_found'
      | 'receiver_blocked'
      | 'blocked_by_receiver'
  }

  /** The receiver has it: the gateway calls this when a socket acknowledges message:new; clients may, too. */
  acknowledgeMessage: { input: { messageId: string }; data: { seq: number }; errors: 'message_not_found' }

  /** The receiver has read this message, and all before it in the conversation. */
  markRead: { input: { messageId: string }; data: { seq: number }; errors: 'message_not_found' }

  /** No more messages or invitations from this user, nor to them; what was asked before can still be answered. */
  blockUser: { input: { userId: string }; data: { seq: number }; errors: 'quota_exceeded' | 'user_not_found' }

  /** Takes a block back. */
  unblockUser: { input: { userId: string }; data: { seq: number }; errors: 'quota_exceeded' | 'user_not_found' }

  /** The caller's conversations, the one with the newest message first. */
  listConversations: {
    input: { limit?: number; cursor?: string; after?: number }
    data: {
      items: {
        withUserId: string
        messages: number
        unread: number
        blocked: boolean
        lastMessage?: { id: string; fromUserId: string; text: string; sentAt: string }
        lastAt: string
      }[]
      nextCursor: string | null
    }
    errors: 'invalid_input' | 'view_behind'
  }

  /** The messages that the caller and another user have exchanged, newest first, each with how far it has come. Counts as 3 requests against the rate. */
  getConversation: {
    input: { withUserId: string; limit?: number; cursor?: string; after?: number }
    data: {
      items: {
        id: string
        fromUserId: string
        toUserId: string
        text: string
        invitationId?: string
        number: number
        sentAt: string
        state: 'sent' | 'delivered' | 'read'
        deliveredAt?: string
      }[]
      nextCursor: string | null
      unread: number
      blocked: boolean
    }
    errors: 'invalid_input' | 'view_behind'
  }

  /** Holds a ticket for the caller, for a while: to be paid until expiresAt. */
  createOrder: {
    input: { orderId?: string; ticketId: string; maxPrice?: number }
    data: Order
    errors:
      | 'quota_exceeded'
      | 'order_id_reused'
      | 'ticket_not_found'
      | 'ticket_reserved'
      | 'price_changed'
      | 'too_many_orders'
      | 'order_too_soon'
  }

  /** Lets the ticket of an order go that is not paid: own ones, or any for admins. */
  cancelOrder: { input: { orderId: string }; data: Order; errors: 'order_not_found' | 'order_complete' }

  /** One order: own ones, or any for admins. */
  getOrder: { input: { orderId: string }; data: Order; errors: 'order_not_found' }

  /** Orders, newest first: own ones, or any for admins. */
  listOrders: {
    input: {
      userId?: string
      state?: 'created' | 'awaiting_payment' | 'complete' | 'cancelled'
      limit?: number
      cursor?: string
    }
    data: { items: Order[]; nextCursor: string | null }
    errors: 'forbidden' | 'invalid_input'
  }

  /** Pays an order, from the balance or by Stripe. The order then completes; where it cannot any more, all goes back. */
  createCharge: {
    input: { chargeId?: string; orderId: string; method: 'balance' | 'stripe'; paymentMethodId?: string }
    data: Charge
    errors:
      | 'quota_exceeded'
      | 'charge_id_reused'
      | 'order_not_found'
      | 'order_complete'
      | 'order_cancelled'
      | 'payment_method_unavailable'
      | 'own_ticket'
      | 'balance_limit_exceeded'
      | 'insufficient_funds'
      | 'amount_not_payable'
      | 'payment_declined'
  }

  /** One charge: own ones, or any for admins. */
  getCharge: { input: { chargeId: string }; data: Charge; errors: 'charge_not_found' }

  /** Charges, newest first: own ones, or any for admins; of one order, where it is named; with `attention` those that wait for an admin. */
  listCharges: {
    input: { userId?: string; orderId?: string; attention?: true; limit?: number; cursor?: string }
    data: { items: Charge[]; nextCursor: string | null }
    errors: 'forbidden' | 'invalid_input'
  }

  /** Gives a buyer money back, or all that is left: the seller's balance must cover it. What is refunded in full cancels its order. */
  refundCharge: {
    input: { chargeId: string; refundId?: string; amount?: number }
    data: Charge
    errors:
      | 'charge_not_found'
      | 'refund_id_reused'
      | 'charge_not_refundable'
      | 'charge_disputed'
      | 'refund_exceeds_charge'
      | 'insufficient_funds'
      | 'refund_rejected'
  }

  /** Ends a refund that waits for an admin. Failed: retry, to_balance, paid_outside, to_seller. Owed by the seller: collect, waive. */
  resolveRefund: {
    input: {
      chargeId: string
      refundId: string
      how: 'retry' | 'to_balance' | 'paid_outside' | 'to_seller' | 'collect' | 'waive'
    }
    data: Charge
    errors: 'charge_not_found' | 'refund_not_found' | 'refund_not_resolvable'
  }

  /** Drives charges and refunds on that stand still; the recovery job calls it. With chargeId one, parked or not. */
  recoverCharges: {
    input: { chargeId?: string }
    data: { examined: number; moved: number; parked: number }
    errors: 'charge_not_found'
  }

  /** Drives stuck payments to their end; the recovery job calls it. With paymentId one, parked or not. */
  recoverPayments: {
    input: { paymentId?: string }
    data: { examined: number; reapplied: number; committed: number; cancelled: number; parked: number }
    errors: 'payment_not_found' | 'payment_not_stuck'
  }

  /** How the system, or one domain, is doing, and what was checked to say so. */
  getStatus: {
    input: { domain?: string }
    data: {
      status: 'OK' | 'DEGRADED' | 'DOWN'
      message: string
      version: string
      checks: { domain: string; name: string; ok: boolean; detail: string }[]
      functions: { name: string; instances: number }[]
    }
    errors: 'invalid_input'
  }

  /** Puts a ticket up for sale, the caller's own. */
  createTicket: {
    input: { ticketId?: string; title: string; price: number }
    data: Ticket
    errors: 'quota_exceeded' | 'ticket_id_reused'
  }

  /** Changes title or price, while no order holds the ticket: own ones, or any for admins. */
  updateTicket: {
    input: { ticketId: string; version: number; set: { title?: string; price?: number } }
    data: Ticket
    errors: 'ticket_not_found' | 'forbidden' | 'ticket_reserved' | 'version_conflict'
  }

  /** One ticket. */
  getTicket: { input: { ticketId: string }; data: Ticket; errors: 'ticket_not_found' }

  /** Tickets, oldest first: all, of one seller, or only those that nobody holds. */
  listTickets: {
    input: { userId?: string; free?: boolean; limit?: number; cursor?: string }
    data: { items: Ticket[]; nextCursor: string | null }
    errors: 'invalid_input'
  }

  /** Puts a train up for booking: one journey, with so many seats. */
  createTrain: {
    input: {
      trainId?: string
      route: string
      departureTime: string | Date
      arrivalTime: string | Date
      availableSeats: number
      pricePerSeat: number
    }
    data: Train
    errors: 'train_id_reused'
  }

  /** Changes a train, and tells its passengers of another time or route; the price holds for later bookings. availableSeats is all that it has, sold ones too. */
  updateTrain: {
    input: {
      trainId: string
      version: number
      set: {
        route?: string
        departureTime?: string | Date
        arrivalTime?: string | Date
        availableSeats?: number
        pricePerSeat?: number
      }
    }
    data: Train
    errors: 'train_not_found' | 'version_conflict' | 'invalid_input' | 'seats_sold'
  }

  /** The train does not go: everybody is refunded and told. Answers how each booking stands; sent again it goes on. */
  callOffTrain: {
    input: { trainId: string; reason?: string }
    data: {
      trainId: string
      calledOff: { at: string; reason: string }
      bookings: {
        bookingId: string
        userId: string
        passengers: number
        amount: number
        outcome: 'refunded' | 'cancelled' | 'open'
      }[]
    }
    errors: 'train_not_found'
  }

  /** Takes a train out, if no seat of it is booked. */
  deleteTrain: {
    input: { trainId: string }
    data: { trainId: string }
    errors: 'train_not_found' | 'train_has_bookings'
  }

  /** One train, with the seats still available as of at most a second ago. */
  getTrain: { input: { trainId: string }; data: Train; errors: 'train_not_found' }

  /** Trains, oldest first, as of at most a second ago: of a route, departing in a period, with so many seats. */
  listTrains: {
    input: { route?: string; from?: string | Date; to?: string | Date; seats?: number; limit?: number; cursor?: string }
    data: { items: Train[]; nextCursor: string | null }
    errors: 'invalid_input'
  }

  /** Makes a plain user and signs in. */
  signUp: {
    input: { userId?: string; email: string; password: string; name?: string; device?: string }
    data: { user: User; token: string; tokenExpiresAt: string; refreshToken: string; sessionId: string }
    errors: 'quota_exceeded' | 'user_id_reused' | 'email_taken'
  }

  /** Begins a session for an e-mail address and its password; wrong ones make the next wait (rate_limited). docs/accounts.md has what tokens are for. */
  signIn: {
    input: { email: string; password: string; device?: string }
    data: { user: User; token: string; tokenExpiresAt: string; refreshToken: string; sessionId: string }
    errors: 'unauthenticated'
  }

  /** The next token and refresh token of a session. A lost answer is answered again with the same refreshId; a refresh token that was used before ends its session. */
  refreshSession: {
    input: { refreshId?: string; refreshToken: string }
    data: { user: User; token: string; tokenExpiresAt: string; refreshToken: string; sessionId: string }
    errors: 'unauthenticated'
  }

  /** Where a user is signed in, newest first. */
  listSessions: {
    input: { userId: string; limit?: number; cursor?: string }
    data: {
      items: {
        id: string
        device?: string
        network?: string
        createdAt: string
        lastUsedAt: string
        expiresAt: string
        current: boolean
      }[]
      nextCursor: string | null
    }
    errors: 'user_not_found' | 'invalid_input'
  }

  /** Ends the caller's session: its tokens stop working, and its sockets are closed. */
  signOut: { input: Record<string, never>; data: Record<string, never>; errors: 'session_not_found' }

  /** Ends all sessions and tokens of a user, those of npm run token too, and closes their sockets. */
  signOutEverywhere: { input: { userId: string }; data: Record<string, never>; errors: 'user_not_found' }

  /** Ends one session: its tokens stop working, and its sockets are closed. */
  revokeSession: { input: { sessionId: string }; data: Record<string, never>; errors: 'session_not_found' }

  /** Makes an API key that acts as a user (without userId: the caller) within its scopes; <domain>:write covers <domain>:read. The answer alone has the key. */
  createApiKey: {
    input: {
      apiKeyId?: string
      name: string
      userId?: string
      scopes: (
        | 'bookings:read'
        | 'bookings:write'
        | 'calendars:read'
        | 'calendars:write'
        | 'events:read'
        | 'events:write'
        | 'feeds:read'
        | 'feeds:write'
        | 'lobbies:read'
        | 'lobbies:write'
        | 'messages:read'
        | 'messages:write'
        | 'orders:read'
        | 'orders:write'
        | 'payments:read'
        | 'payments:write'
        | 'platform:read'
        | 'platform:write'
        | 'tickets:read'
        | 'tickets:write'
        | 'trains:read'
        | 'trains:write'
        | 'users:read'
        | 'users:write'
      )[]
      expiresAt?: string | Date
    }
    data: {
      apiKey: {
        id: string
        userId: string
        name: string
        scopes: string[]
        createdAt: string
        expiresAt?: string
        lastUsedAt?: string
        revokedAt?: string
      }
      key: string
    }
    errors: 'user_not_found' | 'api_key_id_reused'
  }

  /** All API keys, newest first, revoked ones too. */
  listApiKeys: {
    input: { limit?: number; cursor?: string }
    data: {
      items: {
        id: string
        userId: string
        name: string
        scopes: string[]
        createdAt: string
        expiresAt?: string
        lastUsedAt?: string
        revokedAt?: string
      }[]
      nextCursor: string | null
    }
    errors: 'invalid_input'
  }

  /** Ends an API key for good, and closes its sockets. */
  revokeApiKey: {
    input: { apiKeyId: string }
    data: {
      id: string
      userId: string
      name: string
      scopes: string[]
      createdAt: string
      expiresAt?: string
      lastUsedAt?: string
      revokedAt?: string
    }
    errors: 'api_key_not_found'
  }

  /** Makes a user of any role; without a password one must be set before the user can sign in. */
  createUser: {
    input: { userId?: string; name: string; email: string; role?: 'user' | 'admin'; password?: string }
    data: User
    errors: 'user_id_reused' | 'email_taken'
  }

  /** All users, oldest first; query matches the beginning of name or e-mail, whatever the case. */
  listUsers: {
    input: { query?: string; limit?: number; cursor?: string }
    data: { items: User[]; nextCursor: string | null }
    errors: 'invalid_input'
  }

  /** Changes the caller's own password; tokens from before stop working, the answer has a new one. */
  changePassword: {
    input: { oldPassword: string; newPassword: string; device?: string }
    data: { user: User; token: string; tokenExpiresAt: string; refreshToken: string; sessionId: string }
    errors: 'unauthenticated'
  }

  /** Sends a mail whose token sets a new password. Answers the same whether there is such an account or not; the next one has to wait. */
  requestPasswordReset: {
    input: { mailId?: string; email: string }
    data: Record<string, never>
    errors: 'quota_exceeded' | 'mail_unavailable'
  }

  /** Sets a new password by the token of a mail, which works once; ends all sessions and tokens from before, and begins one. */
  resetPassword: {
    input: { token: string; newPassword: string; device?: string }
    data: { user: User; token: string; tokenExpiresAt: string; refreshToken: string; sessionId: string }
    errors: 'mail_token_invalid'
  }

  /** Sends a mail to a new address, whose token makes it the caller's. Answers the same whether somebody has it or not. */
  requestEmailChange: {
    input: { mailId?: string; email: string; password: string }
    data: Record<string, never>
    errors: 'quota_exceeded' | 'unauthenticated' | 'mail_unavailable'
  }

  /** Makes the address that a mail went to the one of its user, by the token of the mail. */
  confirmEmail: { input: { token: string }; data: { email: string }; errors: 'mail_token_invalid' | 'email_taken' }

  /** Sets a user's password; tokens from before stop working. */
  setPassword: { input: { userId: string; newPassword: string }; data: User; errors: 'user_not_found' }

  /** One user: oneself, or anyone for admins. */
  getUser: { input: { userId: string }; data: User; errors: 'user_not_found' }

  /** Changes name; admins: role (bites at the next request), and others' e-mail. One's own: requestEmailChange. */
  updateUser: {
    input: { userId: string; version: number; set: { name?: string; email?: string; role?: 'user' | 'admin' } }
    data: User
    errors: 'user_not_found' | 'forbidden' | 'version_conflict' | 'email_taken'
  }

  /** Adds to a user's balance, once per depositId. */
  depositFunds: {
    input: { depositId?: string; userId: string; amount: number }
    data: User
    errors: 'deposit_id_reused' | 'user_not_found' | 'balance_limit_exceeded'
  }

  /** Takes from a user's balance, once per withdrawalId. */
  withdrawFunds: {
    input: { withdrawalId?: string; userId: string; amount: number }
    data: User
    errors: 'withdrawal_id_reused' | 'user_not_found' | 'insufficient_funds'
  }

  /** Every change of a balance, newest first: what caused it, and the balance after. */
  listLedger: {
    input: { userId: string; limit?: number; cursor?: string }
    data: { items: LedgerEntry[]; nextCursor: string | null }
    errors: 'user_not_found' | 'invalid_input'
  }

  /** Drives stuck deposits and withdrawals to their end; the recovery job calls it. With transferId one, parked or not. */
  recoverTransfers: {
    input: { transferId?: string }
    data: { examined: number; committed: number; cancelled: number; parked: number }
    errors: 'transfer_not_found'
  }

  /** Sends the mails that wait; the recovery job calls it. With mailId one, parked or not. */
  recoverMails: {
    input: { mailId?: string }
    data: { examined: number; sent: number; parked: number }
    errors: 'mail_not_found'
  }
}

/** What a user is told, by name; docs/events.md says when. */
export interface UserNews {
  /** To its user: a booking, or a reversal, has ended, and how. */
  'booking:updated': Booking
  /** To the buyer and the lobbies of the train: seats are booked. */
  'booking:confirmed': {
    bookingId: string
    trainId: string
    userId: string
    seats: number[]
    passengers: { name: string; seat?: number }[]
  }
  /** To the buyer and the lobby it came from: a booking of seats came to nothing. */
  'booking:rejected': {
    bookingId: string
    trainId: string
    userId: string
    reason?: string
    passengers: { name: string; seat?: number }[]
  }
  /** To the buyer and the lobbies of the train: a booking of seats was taken back, they are free. */
  'booking:cancelled': {
    bookingId: string
    trainId: string
    userId: string
    seats: number[]
    passengers: { name: string; seat?: number }[]
  }
  /** To everybody with seats, once a booking, and to its lobbies: the train goes at another time or on another route. */
  'train:updated': {
    trainId: string
    route: string
    departureTime: string
    arrivalTime: string
    previous: { route: string; departureTime: string; arrivalTime: string }
    bookingId: string
  }
  /** To everybody with seats, once a booking, and to its lobbies: the train does not go. */
  'train:calledoff': {
    trainId: string
    route: string
    departureTime: string
    arrivalTime: string
    reason: string
    bookingId: string
  }
  /** To buyer and seller: how an invitation stands. Reads with `after` show it. */
  'invitation:updated': {
    id: string
    buyerId: string
    sellerId: string
    from: string
    to: string
    note: string
    price?: number
    state: 'invited' | 'confirming' | 'confirmed' | 'cancelling' | 'cancelled' | 'rejected' | 'withdrawn'
    reason?: string
    proposal?: { by: 'buyer' | 'seller'; from: string; to: string }
    cancelledBy?: 'buyer' | 'seller' | 'admin'
    version: number
    updatedAt: string
    after: number
  }
  /** To buyer and seller: between `from` and `to` their calendar has changed. */
  'calendar:updated': { as: 'buyer' | 'seller'; invitationId: string; from: string; to: string; after: number }
  /** To all admins: a subscriber failed an event 15 times. `failures` has the last one. */
  'event:dead': {
    eventId: string
    type: string
    aggregate: { type: string; id: string }
    version: number
    failures: { at: string; subscriber: string; code: string; message: string; requestId: string }[]
    createdAt: string
    deadAt: string
  }
  /** To all admins: getStatus was not OK for a minute, and again each hour while it lasts; or an audit failed. */
  'system:trouble': Trouble
  /** To the receiver of a message; a socket that acknowledges it makes it `delivered`. Reads with `after` show it. */
  'message:new': {
    fromUserId: string
    text: string
    invitationId?: string
    number: number
    sentAt: string
    messageId: string
    after: number
  }
  /** To the sender: the receiver has a message, or has read it and all before it. */
  'message:delivered': { messageId: string; toUserId: string; state: 'delivered' | 'read'; after: number }
  /** To the buyer: an order was made, or has moved on. */
  'order:updated': Order
  /** To the buyer: a charge was paid or refunded, or one of its refunds moved on. */
  'charge:updated': Charge
  /** To all admins: the buyer's bank disputes a charge. */
  'charge:disputed': { message: string; chargeId: string; refundId?: string; amount: number }
  /** To all admins: Stripe received another amount than was asked for. */
  'charge:mismatched': { message: string; chargeId: string; refundId?: string; amount: number }
  /** To all admins: recovery has given up on a charge. */
  'charge:parked': { message: string; chargeId: string; refundId?: string; amount: number }
  /** To all admins: Stripe could not give a refund back. */
  'refund:failed': { message: string; chargeId: string; refundId?: string; amount: number }
  /** To all admins: the seller cannot cover a refund that the buyer has. */
  'refund:owed': { message: string; chargeId: string; refundId?: string; amount: number }
}

/** What everybody in a lobby is told. */
export interface LobbyNews {
  /** To the buyer and the lobbies of the train: seats are booked. */
  'booking:confirmed': { bookingId: string; trainId: string; userId: string; seats: number[] }
  /** To the buyer and the lobby it came from: a booking of seats came to nothing. */
  'booking:rejected': { bookingId: string; trainId: string; userId: string; reason?: string }
  /** To the buyer and the lobbies of the train: a booking of seats was taken back, they are free. */
  'booking:cancelled': { bookingId: string; trainId: string; userId: string; seats: number[] }
  /** To everybody with seats, once a booking, and to its lobbies: the train goes at another time or on another route. */
  'train:updated': {
    trainId: string
    route: string
    departureTime: string
    arrivalTime: string
    previous: { route: string; departureTime: string; arrivalTime: string }
  }
  /** To everybody with seats, once a booking, and to its lobbies: the train does not go. */
  'train:calledoff': { trainId: string; route: string; departureTime: string; arrivalTime: string; reason: string }
  /** Somebody said something (`postToLobby`). */
  'lobby:message': { messageId: string; userId: string; text: string }
  /** Users came or went, gathered for half a second; who loses the connection goes 15 seconds later. */
  'lobby:members': { joined: string[]; left: string[]; count: number }
  /** An admin removed a user, whose connections are told it as the lobby's last. */
  'lobby:removed': { userId: string }
  /** The lobby is closed: the last that it says. */
  'lobby:deleted': object
}
