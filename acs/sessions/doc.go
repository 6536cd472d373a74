// Package sessions defines the sessions of a Region: their data, what ends them, and how Regions agree on that. A
// [Store] stores them. [MemoryStore] is a Store for a Region of one node, and package portal/replica has one for
// several Regions. Package sessionstest tests other implementations. Package portal uses a Store.
//
// A session can be ended by its key or by its ID. It also ends with all sessions of its sign-in, of its user, or
// of a subject that a LogoutRequest names ([Logout]). All of these but the first apply in every Region, and to
// sessions that arrive later. So the order in which Regions receive sessions and ends doesn't matter.
package sessions
