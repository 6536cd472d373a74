// Package redisstore keeps the records of one Region in Redis, for teams that
// have one, so that any number of nodes of the Region share them. It needs
// Redis 6.2 or newer, or Valkey: one server, one with replicas behind
// sentinels, or a cluster.
//
//	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379"})
//	store, err := redisstore.New(ctx, redisstore.Config{Client: client})
//	// …
//	region, err := acs.NewRegion(acs.Config{
//		SP: sp, Region: "eu-central-1", Store: store, OnLogin: signedIn,
//	})
//
// Redis must have maxmemory-policy noeviction, or it would drop records to
// make room. New refuses any other. So does each Add, in the script that would
// store the record, because the setting can change at any time and a promoted
// replica has its own: no user is signed in (ReasonPolicy) until it is
// noeviction again.
//
// # How
//
// Each record is a string that Redis expires by its own clock, so it does not
// matter what time the nodes think it is. Add is a script around SET NX PXAT,
// Take is GETDEL. Requests, which unauthenticated clients can cause to be made,
// are counted beside that, and Config.MaxRequests is the most of them. All keys
// of a Region have one hash tag, so in a cluster they are on one shard, and
// nothing is ever read from a replica. Nothing is sent twice: whether a call
// whose answer was lost has worked is not known, and it fails.
//
// Where Redis has users, this one needs eval, evalsha, get, set, getdel, exists,
// time, info, the sorted sets, and "config|get" for New, on keys "meridian:*".
//
// # When Redis can't answer
//
// Every call ends within Config.Timeout or its context's deadline, whichever
// is first, with an [Error] that is neither acs.ErrExists nor acs.ErrNotFound.
// The call may have worked: then the assertion or the request is used up, and
// no user got in. A Redis without memory for more is one that can't answer.
//
// # What it remembers
//
// Redis forgets easily: it is flushed, or started again from a file that is
// minutes old, or replaced by a replica that had not heard the last writes
// (replication does not wait). So Store implements [acs.Rememberer]. Since is
// an instant kept in Redis, in a marker that also names the process that Redis
// was then, and how many keys it had evicted. Each Add of an assertion checks,
// in the same script, that the marker is the one the store knows, that Redis is
// still that process, and that it has evicted nothing since. If not, the call
// fails, there is a new marker, and Since is now. Unsolicited assertions issued
// before are refused, and so are answers to requests made before, because Redis
// may have a used request again. Their users start again. Every restart and
// failover of Redis costs that much, even if nothing was lost. So persistence
// is not needed for safety.
//
// What can still be lost unnoticed: while a failover happens, an old primary
// that is cut off from its replicas may go on serving the nodes on its side,
// and an assertion can be used once on each. Set min-replicas-to-write and
// min-replicas-max-lag to make that time short, or use package natsstore with
// three replicas, where it can't happen. And a Redis whose clock is set ahead,
// and back again later, has dropped meanwhile what was over by then, so keep
// its clock right.
package redisstore
