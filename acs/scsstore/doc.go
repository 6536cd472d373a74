// Package scsstore keeps sessions in a store of github.com/alexedwards/scs, such as its stores on PostgreSQL, MySQL and
// SQLite, for programs that have one:
//
//	store := scsstore.New(manager.Store, scsstore.Config{Sealer: sealer})
//	guard, err := middleware.New(middleware.Config{Config: acs.Config{…}, Sessions: store})
//
// The keys begin with "meridian.", so that the scs.SessionManager can share the store, unless the program
// calls its Iterate, which would read them. Its own sessions are the
// program's data, such as a shopping cart, and don't say who is signed in: middleware.From does. To end them with the
// sign-in, keep the session's ID in them, and compare it:
//
//	if user := middleware.From(ctx); manager.GetString(ctx, "signed-in") != user.ID {
//		_ = manager.Destroy(ctx) // of an earlier sign-in
//		manager.Put(ctx, "signed-in", user.ID)
//	}
//
// Stores of scs can't compare before they write, so that happens under a lock of the process. If several nodes share
// the database, an end of a sign-in, a user or a subject is a record of its own and is never lost. But a node that
// writes when a session was last used can bring back one that another node ended at the same instant by Revoke or End,
// and List can lack sessions that began at the same instant. Use natsstore or redisstore where that matters.
package scsstore
