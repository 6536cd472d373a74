// Package sessions is the contract of the sessions of a Region: what a session
// is, what ends it, and how Regions agree about that. A [Store] keeps them. The
// access portal of package portal is built on it; [MemoryStore] is one for a
// Region of one node, and package portal/replica has one for several Regions.
// Package sessionstest checks that a store of your own keeps the contract.
//
// A session is ended by its key, by its ID, with all of its sign-in, with all of
// its user, or with all of a subject of an identity provider, as a LogoutRequest
// asks ([Logout]). Each but the first holds in every Region and against sessions
// that arrive later, so the order in which Regions hear of sessions and of what
// ended them makes no difference.
package sessions
