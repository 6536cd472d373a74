package merge_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A heardSoFar is an oracle: it keeps a list of all that was heard, and asks all
// of it.
type heardSoFar struct {
	sessions map[string]merge.Session // by key
	ends     []func(key string, s merge.Session) bool
}

func (h *heardSoFar) hear(a arrival) {
	e := a.entry
	switch {
	case a.tx != nil:
		for _, r := range a.tx.Records {
			h.ends = append(h.ends, func(_ string, s merge.Session) bool {
				return s.UserID == r.Key && s.Epoch[virginia+"/directory"] < a.tx.Stamp
			})
		}
	case a.kind == merge.EntrySession:
		h.sessions[e.Key] = *e.Session
	case a.kind == merge.EntryEnded:
		h.ends = append(h.ends, func(key string, _ merge.Session) bool { return key == e.Key })
	case a.kind == merge.EntryRevoked:
		h.ends = append(h.ends, func(_ string, s merge.Session) bool { return s.UserID == e.User && s.ID == e.ID })
	case a.kind == merge.EntrySignedOut:
		h.ends = append(h.ends, func(_ string, s merge.Session) bool { return s.UserID == e.User && s.SignIn == e.ID })
	case a.kind == merge.EntryLogout:
		h.ends = append(h.ends, func(_ string, s merge.Session) bool { return e.Logout.Ends(s) })
	case a.kind == merge.EntryUser:
		h.ends = append(h.ends, func(_ string, s merge.Session) bool {
			return s.UserID == e.User &&
				s.Epoch[a.region] < e.Epoch
		})
	}
}

func (h *heardSoFar) over(key string) bool {
	s, ended := h.sessions[key], false
	for _, end := range h.ends {
		ended = ended || end(key, s)
	}
	return ended
}

// lives draws sessions, one under each key, and what ends some of them. Ends are
// remembered for as long as what they end can live.
func lives(t *rapid.T) (out []arrival) {
	var last time.Time
	for i := range rapid.IntRange(1, 6).Draw(t, "sessions") {
		s := session(t, rapid.SampledFrom(regions).Draw(t, "region"))
		if last.Before(s.Expires) {
			last = s.Expires
		}
		out = append(out, arrival{region: s.Region, kind: merge.EntrySession, entry: merge.Entry{Key: key(i), Session: s}})
	}
	for range rapid.IntRange(0, 6).Draw(t, "ends") {
		a := arrival{region: rapid.SampledFrom(regions).Draw(t, "by")}
		a.entry = merge.Entry{User: user(few.Draw(t, "user")), ID: fmt.Sprint(few.Draw(t, "id")),
			Until: last.Add(time.Duration(few.Draw(t, "longer")) * time.Second)}
		a.kind = rapid.SampledFrom([]merge.EntryKind{merge.EntryEnded, merge.EntryRevoked, merge.EntrySignedOut,
			merge.EntryUser, merge.EntryLogout, ""}).Draw(t, "end")
		switch a.kind {
		case merge.EntryEnded:
			a.entry.Key = key(rapid.IntRange(0, 5).Draw(t, "key"))
		case merge.EntryUser:
			a.entry.Epoch = uint64(few.Draw(t, "epoch"))
		case merge.EntryLogout:
			a.entry.Logout = logout(t, a.entry.Until)
		case "":
			stamp := uint64(1 + few.Draw(t, "stamp"))
			a = primary(stamp, false, []merge.Record{{Kind: merge.KindEnded, Key: a.entry.User,
				Value: fmt.Appendf(nil, "%d", stamp)}})
		}
		out = append(out, a)
	}
	return out
}

// A session that was heard to be over is never alive again, in any order of arrival,
// and however much is forgotten meanwhile. What wasn't is alive.
func TestNothingThatEndedComesBack(t *testing.T) {
	const skew = 20 * time.Second
	rapid.Check(t, func(t *rapid.T) {
		all := lives(t)
		again := rapid.SliceOfN(rapid.SampledFrom(all), 0, 12).Draw(t, "again")
		r, heard, now := newRegion(mumbai), &heardSoFar{sessions: map[string]merge.Session{}}, base
		for _, a := range rapid.Permutation(append(append([]arrival{}, all...), again...)).Draw(t, "order") {
			if rapid.IntRange(0, 3).Draw(t, "sweep") == 0 {
				now = now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "seconds")) * time.Second)
				r.sessions.Sweep(now, skew)
			}
			r.know(a)
			heard.hear(a)
			for k, s := range heard.sessions {
				if now.After(s.Expires) {
					continue // a portal refuses it
				}
				_, alive := r.sessions.Get(k)
				require.Equal(t, !heard.over(k), alive, k)
				listed := false
				for _, v := range r.sessions.List(s.UserID) {
					listed = listed || v.ID == s.ID && v.SignIn == s.SignIn && v.Created.Equal(s.Created)
				}
				require.True(t, listed || !alive, k)
				_, _, touched := r.sessions.Touch(k, now, time.Minute)
				require.Equal(t, alive && s.Region == mumbai, touched, k)
			}
		}
	})
}

// A count that can't be raised would end no session any more.
func TestAnEpochCanBeRaised(t *testing.T) {
	s := merge.NewSessions("us-east-1", "us-east-1")
	require.Error(t, s.Take("us-east-1", merge.EntryUser, merge.Entry{User: "u", Epoch: math.MaxUint64}))
	require.NoError(t, s.Take("us-east-1", merge.EntryUser, merge.Entry{User: "u", Epoch: merge.MaxEpoch - 1}))
	before := s.Epoch("u")["us-east-1"]
	next := s.NextEpoch("u", "us-east-1", 0)
	require.NoError(t, s.Take("us-east-1", merge.EntryUser, merge.Entry{User: "u", Epoch: next}))
	require.Greater(t, s.Epoch("u")["us-east-1"], before)
}
