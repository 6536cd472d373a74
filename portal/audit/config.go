package audit

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"time"
)

// A Sealer seals events. Open fails for a value that was sealed with other associated data. keys.Sealer of package
// portal/keys is one. If it has a method Check(context.Context) error, as keys.Sealer has, that tells a key that can't
// be used now from a damaged file.
type Sealer interface {
	Seal(ctx context.Context, plain, associated []byte) ([]byte, error)
	Open(ctx context.Context, sealed, associated []byte) ([]byte, error)
}

// Config describes a Log. Open copies it.
type Config struct {
	// Dir is the directory, of one Region and one process. Open makes it, for its owner only. Required.
	Dir string
	// Region is the Region that writes. It is authenticated with each event: a file of another Region doesn't open.
	// Required.
	Region string
	// Account is recipientAccountId, and IdentityStoreARN the instance's identity store. Empty: none.
	Account, IdentityStoreARN string

	// Sealer seals what is stored. Required without InsecurePlaintext.
	Sealer Sealer
	// InsecurePlaintext stores events unsealed: read access to Dir or to a backup is then enough to read them, and write
	// access to forge them. It can't be set with Sealer.
	InsecurePlaintext bool

	// MaxChanges, MaxAccess, MaxRefusals and MaxRemote are how many bytes each class of events may take in Dir, at least
	// 256 KiB. Beyond that the oldest tenth or so of that class is removed; see "Full" in AUDIT.md. Zero: 128 MiB, 512
	// MiB, 64 MiB and 64 MiB.
	MaxChanges, MaxAccess, MaxRefusals, MaxRemote int64
	// RotateEvery is how long one file is written. Zero: a day.
	RotateEvery time.Duration
	// RefusalsPerHour is how many refusals are written in an hour. A client's share of it shrinks with use, as its
	// share of pending sign-ins does (see acs.MemoryConfig). More are counted. Zero: 1,000.
	RefusalsPerHour int
	// AccessPerHour is how many events of Access one user can cause in an hour. More are counted. Zero: 1,000.
	AccessPerHour int
	// RemotePerHour is how many events of Remote one additional Region can cause in an hour. More are counted. Zero:
	// 1,000.
	RemotePerHour int

	// Required refuses what gives access (see Log.Grant), if its event can't be written: sign-ins, sessions of other
	// Regions, programs, tokens and credentials. What ends access goes on. No user can sign in while the disk is full
	// or the key can't be used. False: a failure stops nothing.
	Required bool

	// Keys are the keys whose use is written. Empty: none.
	Keys []*KeyUse
	// Rules are those of alerts. Nil: DefaultRules. An empty slice: none.
	Rules []Rule
	// OnAlert is called when an alert begins or ends, by one goroutine. It should return soon. Nil: no call.
	OnAlert func(Alert)
	// Observer receives counts and sizes. Nil: none.
	Observer Observer

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Logger receives a record for each failure and each alert, and for what was cut or lost. Nil: slog.Default().
	Logger *slog.Logger

	// Tests change these: how long a writer rests after refusals, and the smallest size of a class.
	rest    time.Duration
	atLeast int64
	wait    time.Duration // of a caller
}

var regionName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

func (c *Config) defaults() {
	c.MaxChanges, c.MaxAccess = cmp.Or(c.MaxChanges, 128<<20), cmp.Or(c.MaxAccess, 512<<20)
	c.MaxRefusals, c.MaxRemote = cmp.Or(c.MaxRefusals, 64<<20), cmp.Or(c.MaxRemote, 64<<20)
	c.RotateEvery = cmp.Or(c.RotateEvery, 24*time.Hour)
	c.RefusalsPerHour, c.AccessPerHour = cmp.Or(c.RefusalsPerHour, 1000), cmp.Or(c.AccessPerHour, 1000)
	c.RemotePerHour = cmp.Or(c.RemotePerHour, 1000)
	c.rest, c.atLeast, c.wait = cmp.Or(c.rest, time.Second), cmp.Or(c.atLeast, 256<<10), cmp.Or(c.wait, 3*time.Second)
	c.Keys = slices.Clone(c.Keys)
	if c.Rules == nil {
		c.Rules = DefaultRules()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Logger = cmp.Or(c.Logger, slog.Default()).With("region", c.Region)
}

func (c *Config) check() error {
	bad := func(what, want, got string) error { return newError(ReasonConfig, "Config."+what, want, got) }
	switch {
	case c.Dir == "":
		return bad("Dir", "a directory", "")
	case !regionName.MatchString(c.Region):
		return bad("Region", "a Region code such as eu-central-1", c.Region)
	case c.Sealer == nil && !c.InsecurePlaintext:
		return bad("Sealer", "one, or InsecurePlaintext", "")
	case c.Sealer != nil && c.InsecurePlaintext:
		return bad("InsecurePlaintext", "false with Sealer", "true")
	case min(c.MaxChanges, c.MaxAccess, c.MaxRefusals, c.MaxRemote) < c.atLeast:
		return bad("MaxChanges, MaxAccess, MaxRefusals and MaxRemote", fmt.Sprintf("at least %d bytes each", c.atLeast),
			fmt.Sprint(min(c.MaxChanges, c.MaxAccess, c.MaxRefusals, c.MaxRemote)))
	case c.RotateEvery <= 0:
		return bad("RotateEvery", "a positive duration", c.RotateEvery.String())
	case min(c.RefusalsPerHour, c.AccessPerHour, c.RemotePerHour) < 0:
		return bad("RefusalsPerHour, AccessPerHour and RemotePerHour", "positive numbers", "a negative one")
	case slices.Contains(c.Keys, nil):
		return bad("Keys", "keys", "nil")
	}
	for _, r := range c.Rules {
		if err := r.check(); err != nil {
			return err
		}
	}
	return nil
}
