// Package keys seals identity data: at rest, and between the Regions of an instance. It models multi-Region keys of a
// key management service (KMS).
//
//	ring, err := keys.OpenRing(keys.RingConfig{Path: "/var/lib/meridian/keys", Region: "us-east-1", Passphrase: phrase})
//	sealer, err := keys.NewSealer(keys.Config{Key: ring.Use(id, "meridian"), Instance: "ssoins-7223aaaabbbbcccc"})
//	sealed, err := sealer.Seal(ctx, plain, keys.Bind("session", key, "1"))
//	plain, err := sealer.Open(ctx, sealed, keys.Bind("session", key, "1"))
//
// # The parts
//
// A [Ring] is the embedded key service of one Region. Its keys are in one file, which is sealed under a passphrase or
// under a key of the operator. The copies of a multi-Region key in several Rings have the same key material, so what
// one Region seals, another one opens. Otherwise they are independent: each has its own state, policy and usage. A
// copy gets its policy when it is made; later changes of another copy's policy have no effect on it.
//
// A [Sealer] seals values. It makes data keys, and only these are encrypted with the key ("envelope encryption"). It
// needs nothing but the interface of Tink for an AEAD that may be remote, so the key may also be in a KMS: see
// [Config.Key]. KMS.md, beside the source, has a driver for AWS KMS to copy: it uses the AWS SDK, which no package of
// the module does, and [KMSError].
//
// # When a key stops
//
// A Sealer keeps data keys in memory, so that a sign-in needs no request to a KMS. It asks the key again for each data
// key when [Config.CacheFor] has passed. So a key that is disabled, scheduled for deletion or no longer allowed by its
// policy stops within that time, in its Region only. The error has the Reason that AWS gives, such as
// [ReasonDisabled]. A policy that still allows [ActionDecrypt] and no longer [ActionEncrypt] ends sealing with the data
// key, after [Config.DataKeyAge].
//
// A KMS that doesn't answer is not a refusal: data keys in memory are used for [Config.Outage] longer.
//
// # Rotation
//
// [Ring.Rotate] gives a key a new version, in all Rings at once. New data keys are encrypted under it. Earlier versions
// continue to open what was sealed under them. [Sealer.Stale] reports which values are sealed under an earlier version.
//
// # The file
//
// A Ring's file is replaced as a whole: a crash leaves the old one or the new one. A file that is missing, truncated or
// changed, and a wrong passphrase, are errors, and nothing is written. Keep a copy of the file, and the passphrase
// elsewhere: without one of them all data is lost, unless another Region has a copy of the key. An older copy of the
// file is valid, with the states and policies that it had.
//
// A reader of the file who knows the passphrase can open everything. Key material is in the memory of the process.
package keys
