// Package sessions defines the sessions of a Region: what a session is, what ends it, and how Regions agree
// about that. A [Store] keeps them. Package portal is built on it; [MemoryStore] is a Store for a Region of one
// node, and package portal/replica has one for several Regions. Package sessionstest tests your own.
//
// A session is ended by its key, by its ID, with all of its sign-in, with all of its user, or with all of a
// subject of an identity provider, as a LogoutRequest asks ([Logout]). Each but the first holds in every Region,
// and for sessions that arrive later, so the order in which Regions learn of sessions and ends doesn't matter.
package sessions
