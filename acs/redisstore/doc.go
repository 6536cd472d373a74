// Package redisstore keeps the records of one Region in Redis, so that any number of nodes of the Region share
// them. It needs Redis 6.2 or newer, or Valkey: one server, one with replicas behind sentinels, or a cluster.
//
//	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379"})
//	store, err := redisstore.New(ctx, redisstore.Config{Client: client})
//	// …
//	region, err := acs.NewRegion(acs.Config{
//		SP: sp, Region: "eu-central-1", Store: store, OnLogin: signedIn,
//	})
//
// Redis must have maxmemory-policy noeviction, or it would drop records to make room. New refuses any other.
// So does each Add, in the script that would store the record, because the setting can change at any time and
// a promoted replica has its own: no user is signed in (ReasonPolicy) until it is noeviction again.
//
// # How it works
//
// Each record is a string that Redis expires by its own clock, so the nodes' clocks don't matter. Add is a
// script around SET NX PXAT, Take is GETDEL. Requests, which unauthenticated clients can cause to be made, are
// also counted, up to Config.MaxRequests. All keys of a Region have one hash tag, so a cluster keeps them on
// one shard, and nothing is read from a replica. Nothing is sent twice: a call whose answer was lost fails,
// because it is unknown whether it worked.
//
// If Redis has users, this one needs eval, evalsha, get, set, getdel, exists, time, info and the sorted sets, on
// keys "meridian:*".
//
// # When Redis can't answer
//
// Every call ends within Config.Timeout or its context's deadline, whichever is first, with an [Error] that is
// neither acs.ErrExists nor acs.ErrNotFound. The call may have worked: then the assertion or the request is
// used up, and no user was signed in. A Redis that is out of memory can't answer.
//
// # What it remembers
//
// Redis loses records when it is flushed, restarted from an older file, or replaced by a replica without the
// last writes (replication is asynchronous). So Store implements [acs.Rememberer]. Since is an instant in
// Redis, in a marker that also names the process that Redis was then, and how many keys it had evicted. Each
// Add of an assertion checks, in the same script, that the marker is the known one, and that Redis is still
// that process and has evicted nothing since. If not, the call fails, there is a new marker, and Since is now.
// Unsolicited assertions issued before it are refused, and so are answers to requests made before it, because
// Redis may have a used request again. Their users start again. Every restart and failover of Redis has this
// effect, even if nothing was lost, so persistence is not needed for safety.
//
// What can still be lost unnoticed: during a failover, an old primary that is cut off from its replicas may go on
// serving the nodes on its side, and an assertion can be used once on each side. Set min-replicas-to-write and
// min-replicas-max-lag to make that time short, or use package natsstore with three replicas, where it can't happen.
// And a Redis whose clock is set ahead, and back again later, has dropped records too early, so keep its clock right.
package redisstore
