package merge_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	contract "github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A record never has a later stamp than its transaction, and an earlier one only
// in a full transaction: otherwise a full transaction would remove it or not,
// depending on which arrived first.
func TestStampsOfRecordsThatCannotBe(t *testing.T) {
	bob := func(stamp uint64) []merge.Record {
		return []merge.Record{{Kind: center.KindUser, Key: "u-1", Value: json.RawMessage(`{"id":"u-1","userName":"bob"}`),
			Stamp: stamp}}
	}
	for what, all := range map[string][]arrival{
		"later than a full transaction": {primary(5, true, bob(9)), primary(7, true, nil)},
		"later than a transaction":      {primary(5, false, bob(9)), primary(7, true, nil)},
		"earlier than a transaction":    {primary(5, true, nil), primary(7, false, bob(3))},
	} {
		one, two := newRegion(mumbai).know(all[0], all[1]), newRegion(mumbai).know(all[1], all[0])
		assert.Empty(t, differences(one, two), what)
	}
}

// Of two sessions that a Region made under one key at the same instant, one and
// the same counts everywhere.
func TestTwoSessionsUnderOneKey(t *testing.T) {
	made := func(change func(*merge.Session)) arrival {
		s := &merge.Session{ID: "1", SignIn: "s", UserID: "u-1", Region: frankfurt, Created: base, Expires: after(5)}
		change(s)
		return arrival{region: frankfurt, kind: merge.EntrySession, entry: merge.Entry{Key: key(0), Session: s}}
	}
	one := made(func(*merge.Session) {})
	for what, change := range map[string]func(*merge.Session){
		"user":    func(s *merge.Session) { s.UserID = "u-2" },
		"sign-in": func(s *merge.Session) { s.SignIn = "r" },
		"end":     func(s *merge.Session) { s.Expires = after(6) },
		"epoch":   func(s *merge.Session) { s.Epoch = map[string]uint64{frankfurt: 1} },
		"host":    func(s *merge.Session) { s.Host = "https://portal.example" },
	} {
		two := made(change)
		assert.Empty(t, differences(newRegion(mumbai).know(one, two), newRegion(mumbai).know(two, one)), what)
	}
}

// What an identity provider ended, and what says it again in another time zone and
// for another time, are one.
func TestALogoutThatIsSaidAgain(t *testing.T) {
	said := func(zone *time.Location, until int) arrival {
		l := &contract.Logout{Subject: contract.Subject{Provider: "idp", NameID: contract.NameID{Value: "alice"}},
			Issued: base.In(zone), Until: after(until).In(zone)}
		return arrival{region: frankfurt, kind: merge.EntryLogout, entry: merge.Entry{Logout: l, Until: l.Until}}
	}
	short, long := said(time.UTC, 5), said(time.FixedZone("", 3600), 6)
	one, two := newRegion(mumbai).know(short, long), newRegion(mumbai).know(long, short)
	assert.Empty(t, differences(one, two))
	facts := one.sessions.Facts()
	require.Len(t, facts, 1)
	assert.True(t, facts[0].Until.Equal(after(6)))
}

// Of two Regions' applications with one ID the one counts whose Region sorts
// first among those that are listed.
func TestTwoApplicationsWithOneID(t *testing.T) {
	app := func(from string) arrival {
		v := fmt.Sprintf(`{"id":"a","name":%q,"url":"https://a.example","region":%q}`, from, from)
		return arrival{region: from, tx: &merge.Transaction{Stamp: 1, Full: true,
			Records: []merge.Record{{Kind: center.KindApplication, Key: "a", Value: json.RawMessage(v)}}}}
	}
	lists := func(stamp uint64, names ...string) arrival {
		var records []merge.Record
		for _, name := range names {
			records = append(records, merge.Record{Kind: center.KindRegion, Key: name,
				Value: fmt.Appendf(nil, `{"name":%q}`, name)})
		}
		return primary(stamp, true, records)
	}
	shown := func(r *region) string { return r.state()["shown application a"] }
	for range 10 { // maps have no order
		r := newRegion(virginia).know(app(frankfurt), lists(1, mumbai, frankfurt), app(mumbai))
		assert.Contains(t, shown(r), mumbai)
		assert.Contains(t, shown(r.know(lists(2, frankfurt))), frankfurt)
		assert.Empty(t, shown(r.know(lists(3))))
	}
}

// Where an update here removes what another Region's write had shown at the same
// moment, and that is gone too, nothing is left of it.
func TestTookLeavesNothingOfWhatIsGone(t *testing.T) {
	app := func(from, value string) arrival {
		r := merge.Record{Kind: center.KindApplication, Key: "a"}
		if value != "" {
			r.Value = fmt.Appendf(nil, `{"id":"a","name":%q,"url":"https://a.example","region":%q}`, value, from)
		}
		return arrival{region: from, tx: &merge.Transaction{Stamp: uint64(10 - len(value)), Records: []merge.Record{r}}}
	}
	list := []merge.Record{{Kind: center.KindRegion, Key: mumbai, Value: json.RawMessage(`{}`)},
		{Kind: center.KindRegion, Key: frankfurt, Value: json.RawMessage(`{}`)}}
	r := newRegion(mumbai).know(primary(1, true, list), app(mumbai, "mine"), app(frankfurt, "theirs"))
	left := r.dir.Took(r.hear(app(mumbai, "")), []center.Record{{Kind: center.KindApplication, Key: "a"}})
	assert.NotEmpty(t, left, "theirs is to be shown")
	r.dir.Changes(append(left, r.hear(app(frankfurt, ""))...))
	for _, c := range r.dir.Records() {
		assert.NotEqual(t, center.KindApplication, c.Kind)
	}
}
