// Package redisstore implements [acs.Store] on Redis. Any number of nodes of a Region can share the records. It
// needs Redis 6.2 or newer, or Valkey: a single server, a primary with replicas and sentinels, or a cluster.
//
//	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379"})
//	store, err := redisstore.New(ctx, redisstore.Config{Client: client, Sealer: sealer})
//	// …
//	region, err := acs.NewRegion(acs.Config{
//		SP: sp, Region: "eu-central-1", Store: store, OnLogin: signedIn,
//	})
//
// [NewSessions] returns a store of sessions on the same Redis, for package middleware.
//
// Redis must have the maxmemory-policy noeviction. With another policy it would drop records to make room. New
// refuses any other policy. So does the script of each Add, because the setting can change at any time and a
// promoted replica has its own. Until it is noeviction again, sign-ins are refused (ReasonPolicy).
//
// # How it works
//
// Each record is a string that Redis expires by its own clock, so the nodes' clocks don't matter. Add is a script
// around SET NX PXAT, and Take is GETDEL. Requests, which unauthenticated clients can create, are counted, up to
// Config.MaxRequests. All keys of a Region have one hash tag, so a cluster stores them on one shard. Replicas are
// never read. No command is retried: if the answer is lost, the call fails, because it may have succeeded.
//
// If Redis has access control lists, the user needs eval, evalsha, get, set, getdel, exists, time, info and
// @sortedset, on the keys "meridian:*"; for NewSessions also mget and del.
//
// # When Redis can't answer
//
// Every call returns within Config.Timeout or by its context's deadline, whichever is first, with an [Error] that
// is neither acs.ErrExists nor acs.ErrNotFound. The call may have succeeded. The assertion or the request is then
// consumed, and no user was signed in. Redis without free memory counts as unavailable.
//
// # What it remembers
//
// Redis loses records when it is flushed, restarted from an older file, or replaced by a replica without the last
// writes, because replication is asynchronous. So Store implements [acs.Rememberer]. A marker in Redis has the
// instant that Since returns, the run ID of the Redis process, and its count of evicted keys. The script of each
// Add of an assertion checks that the marker is the known one, that Redis is the same process, and that it has
// evicted no key since. If not, the call fails, a new marker is stored, and Since is the current time. Unsolicited
// assertions issued before Since are refused. So are answers to requests made before it, because Redis may have a
// consumed request again. These users sign in again. Every restart and failover of Redis has this effect, even if
// no record was lost, so safety doesn't depend on persistence.
//
// Two losses can go unnoticed. During a failover, an old primary that is separated from its replicas may still
// serve the nodes on its side. An assertion can then be used once on each side. Set min-replicas-to-write and
// min-replicas-max-lag to shorten that time, or use package natsstore with three replicas, where it can't happen.
// And if the clock of Redis is set ahead and back again, records expire too early. Keep the clock of Redis
// synchronized.
package redisstore
