package merge_test

import (
	"encoding/json"
	"fmt"
	"time"

	"pgregory.net/rapid"

	contract "github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
	"github.com/meridian-saml/meridian/portal/shortcuts"
)

var few = rapid.IntRange(0, keys-1)

// arrivals draws what Regions could write, hostile ones too. A stamp is used
// once in a log, and a key of a code by one Region, once.
func arrivals(t *rapid.T) (out []arrival) {
	stamps, codes := map[string]uint64{}, map[string]bool{}
	if rapid.Bool().Draw(t, "listed") { // otherwise few applications are shown
		tx := &merge.Transaction{Stamp: 1, Full: true}
		for i, r := range regions {
			tx.Records = append(tx.Records, merge.Record{Kind: center.KindRegion, Key: r,
				Value: fmt.Appendf(nil, `{"position":%d,"name":%q}`, i, r)})
		}
		stamps[virginia], out = 1, append(out, arrival{region: virginia, tx: tx})
	}
	for range rapid.IntRange(1, 30).Draw(t, "arrivals") {
		a := arrival{region: rapid.SampledFrom(regions).Draw(t, "region")}
		if rapid.IntRange(0, 2).Draw(t, "transaction") == 0 {
			stamps[a.region] += uint64(few.Draw(t, "later")) + 1
			a.tx = transaction(t, a.region, stamps[a.region])
		} else {
			a.kind, a.entry = entry(t, a.region)
		}
		if a.kind == merge.EntryCode && codes[a.entry.Key] {
			continue
		}
		codes[a.entry.Key] = codes[a.entry.Key] || a.kind == merge.EntryCode
		out = append(out, a)
	}
	if len(out) == 0 {
		out = append(out, arrival{region: virginia, kind: merge.EntryTaken})
	}
	return out
}

func entry(t *rapid.T, from string) (merge.EntryKind, merge.Entry) {
	e := merge.Entry{Key: key(few.Draw(t, "key")), User: user(few.Draw(t, "user")), ID: fmt.Sprint(few.Draw(t, "id")),
		Until: after(few.Draw(t, "until"))}
	kind := rapid.SampledFrom([]merge.EntryKind{
		merge.EntrySession, merge.EntrySession, merge.EntrySeen, merge.EntryEnded, merge.EntryCode, merge.EntryTaken,
		merge.EntryRevoked, merge.EntrySignedOut, merge.EntryUser, merge.EntryLogout, merge.EntryShortcuts,
		"unknown",
	}).Draw(t, "kind")
	e.Optional = rapid.Bool().Draw(t, "optional")
	switch kind {
	case merge.EntrySession:
		lives := from
		if rapid.IntRange(0, 9).Draw(t, "forged") == 0 {
			lives = rapid.SampledFrom(regions).Draw(t, "lives")
		}
		e.Session = session(t, lives)
	case merge.EntrySeen:
		e.Seen = after(few.Draw(t, "seen"))
	case merge.EntryShortcuts:
		e.Seen, e.Shortcuts = after(few.Draw(t, "written")), &shortcuts.List{}
		for range few.Draw(t, "opened") {
			e.Shortcuts.Open(shortcuts.Target{Application: key(few.Draw(t, "app"))}, after(few.Draw(t, "at")))
		}
		e.Shortcuts.Mark(shortcuts.Target{Application: "a"}, rapid.Bool().Draw(t, "favorite"), after(few.Draw(t, "marked")))
	case merge.EntryUser:
		e.Epoch = uint64(few.Draw(t, "epoch"))
	case merge.EntryLogout:
		e.Logout = logout(t, e.Until)
	case merge.EntryCode:
		e.Value = []byte(from)
	}
	return kind, e
}

func session(t *rapid.T, lives string) *merge.Session {
	s := merge.Session{
		ID: fmt.Sprint(few.Draw(t, "id")), SignIn: fmt.Sprint(few.Draw(t, "signIn")), UserID: user(few.Draw(t, "user")),
		UserName: fmt.Sprint(few.Draw(t, "userName")), Region: lives, Created: after(few.Draw(t, "created")), Epoch: epoch(t),
	}
	s.Proof = contract.Proof{Subject: subject(t), SessionIndexes: indexes(t), Issued: after(few.Draw(t, "issued"))}
	s.Seen, s.Expires = s.Created, s.Created.Add(time.Duration(1+few.Draw(t, "expires"))*time.Minute)
	return &s
}

// subject draws one of a few, each in two ways to write it, or none.
func subject(t *rapid.T) (s contract.Subject) {
	if n := few.Draw(t, "subject"); n > 0 {
		s.Provider, s.NameID.Value = "https://idp.example", fmt.Sprint(n)
	}
	if s.Provider != "" && rapid.Bool().Draw(t, "qualified") {
		s.NameID.NameQualifier = s.Provider
	}
	return s
}

func indexes(t *rapid.T) []string {
	return rapid.SliceOfN(rapid.SampledFrom([]string{"i-1", "i-2", "i-3"}), 0, 2).Draw(t, "indexes")
}

func logout(t *rapid.T, until time.Time) *contract.Logout {
	issued := after(few.Draw(t, "issued"))
	return &contract.Logout{Subject: subject(t), SessionIndexes: indexes(t), Issued: issued,
		NotOnOrAfter: issued.Add(time.Duration(few.Draw(t, "valid")) * time.Minute), Until: until}
}

func epoch(t *rapid.T) map[string]uint64 {
	out := map[string]uint64{}
	for _, component := range []string{virginia, frankfurt, virginia + "/directory"} {
		if n := few.Draw(t, "component"); n > 0 {
			out[component] = uint64(n)
		}
	}
	return out
}

func transaction(t *rapid.T, from string, stamp uint64) *merge.Transaction {
	tx := &merge.Transaction{Stamp: stamp, Full: rapid.IntRange(0, 3).Draw(t, "full") == 0}
	for range rapid.IntRange(0, 4).Draw(t, "records") {
		r := record(t, from)
		if rapid.IntRange(0, 2).Draw(t, "stamped") == 0 {
			r.Stamp = rapid.Uint64Range(0, stamp+3).Draw(t, "stamp")
		}
		tx.Records = append(tx.Records, r)
	}
	return tx
}

// record draws one that is well formed, or gone, or nonsense.
func record(t *rapid.T, from string) merge.Record {
	k := few.Draw(t, "key")
	r := merge.Record{Base: rapid.Uint64Range(0, 20).Draw(t, "base"), Key: user(k), Kind: rapid.SampledFrom([]center.Kind{
		center.KindUser, center.KindGroup, center.KindRegion, center.KindApplication, center.KindApplication,
		center.KindIdentityProvider, center.KindInstance, center.KindDetails, center.KindDetails, merge.KindGone,
		merge.KindEnded, merge.KindReplicated, "unknown",
	}).Draw(t, "kind")}
	n := few.Draw(t, "value")
	r.Optional = rapid.Bool().Draw(t, "optional")
	switch r.Kind {
	case center.KindUser, center.KindGroup:
		r.Value = fmt.Appendf(nil, `{"id":%q,"userName":"n%d","displayName":"n%d"}`, r.Key, n, n)
	case center.KindRegion:
		r.Key = regions[k]
		r.Value = fmt.Appendf(nil, `{"position":%d,"name":%q}`, k, r.Key)
	case center.KindApplication:
		lives := from
		if rapid.IntRange(0, 9).Draw(t, "forged") == 0 {
			lives = rapid.SampledFrom(regions).Draw(t, "lives")
		}
		r.Value = fmt.Appendf(nil, `{"id":%q,"name":"a%d","url":"https://a.example","region":%q,"assignedTo":[{"type":%q,"id":%q}]}`,
			r.Key, n, lives, rapid.SampledFrom([]string{"user", "group"}).Draw(t, "type"), user(few.Draw(t, "principal")))
	case merge.KindGone:
		r.Key = rapid.SampledFrom([]string{"user ", "group "}).Draw(t, "type") + r.Key
		r.Value = fmt.Appendf(nil, "%d", rapid.IntRange(0, 20).Draw(t, "gone"))
	case center.KindDetails:
		r.Key = rapid.SampledFrom([]string{"user ", "group ", ""}).Draw(t, "of") + r.Key
		r.Value = fmt.Appendf(nil, `{"createdAt":"2026-11-30T12:00:0%dZ"}`, n)
	case merge.KindReplicated:
		r.Key = regions[k]
		r.Value = fmt.Appendf(nil, "%d", n)
	default:
		r.Value = fmt.Appendf(nil, "%d", n)
	}
	switch rapid.IntRange(0, 9).Draw(t, "form") {
	case 0, 1:
		r.Value = nil
	case 2:
		r.Value = json.RawMessage(`"nonsense"`)
	}
	return r
}
