package replica_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A fact is one message of some Region, given to a State.
type fact func(*replica.State) error

var base = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// facts draws messages that three Regions could have written, with few keys so that they collide.
func facts(t *rapid.T) []fact {
	regions := []string{virginia, frankfurt, mumbai}
	pick := rapid.SampledFrom(regions)
	small := rapid.IntRange(0, 2)
	stamps := map[string]uint64{}
	var out []fact
	for range rapid.IntRange(1, 25).Draw(t, "facts") {
		region := pick.Draw(t, "region")
		u, i := small.Draw(t, "user"), small.Draw(t, "id")
		user, id := fmt.Sprintf("u-%d", u), fmt.Sprint(i)
		until := base.Add(time.Duration(small.Draw(t, "until")) * time.Minute)
		message := func(stream, kind string, key string, s *sessions.Session, epoch uint64) {
			e := replica.Entry(key, s, user, id, epoch, until)
			out = append(out, func(st *replica.State) error { return st.Message(region, stream, kind, e) })
		}
		n := uint64(small.Draw(t, "n"))
		switch kind := rapid.IntRange(0, 6).Draw(t, "kind"); kind {
		case 0, 1:
			// A key is used once, so what it holds follows from it.
			s := sessions.Session{ID: id, SignIn: "signin-" + id, UserID: user, Region: region, Created: base,
				Expires: base.Add(time.Hour),
				Epoch:   sessions.Epoch{regions[i]: uint64(u)}}
			message("sessions", "session", region+user+id, &s, 0)
		case 2:
			message("sessions", "ended", region+user+id, nil, 0)
		case 3:
			message("revoked", "id", "", nil, 0)
		case 4:
			message("revoked", "signin", "", nil, 0)
		case 5:
			message("revoked", "everyone", "", nil, n)
		case 6:
			stamps[region] += 1 + n
			stamp, full, changes := stamps[region], rapid.IntRange(0, 3).Draw(t, "full") == 0, changes(t, region,
				stamps[virginia])
			out = append(out, func(st *replica.State) error { st.Transaction(region, stamp, full, changes); return nil })
		}
	}
	return out
}

func changes(t *rapid.T, region string, known uint64) (out []replica.Change) {
	small := rapid.IntRange(0, 2)
	seen := map[string]bool{}
	for range rapid.IntRange(0, 4).Draw(t, "changes") {
		key := fmt.Sprintf("u-%d", small.Draw(t, "key"))
		c := replica.Change{Key: key}
		gone := rapid.IntRange(0, 2).Draw(t, "gone") == 0
		switch kind := small.Draw(t, "record"); {
		case region == virginia && kind == 0:
			c.Kind, c.Value = center.KindUser, fmt.Sprintf(`{"id":%q,"userName":"n%d"}`, key, small.Draw(t, "name"))
			if rapid.Bool().Draw(t, "group") {
				c.Kind, c.Value = center.KindGroup, fmt.Sprintf(`{"id":%q,"displayName":"n%d"}`, key, small.Draw(t, "name"))
			}
		case region == virginia && kind == 1:
			c.Kind, c.Value, gone = rapid.SampledFrom([]center.Kind{"gone", "ended"}).Draw(t,
				"internal"), fmt.Sprint(known), false
			if c.Kind == "gone" {
				c.Key = rapid.SampledFrom([]string{"user ", "group "}).Draw(t, "type") + key
			}
		case region == virginia && key != "u-0":
			c.Kind, c.Key, c.Value = center.KindRegion, map[string]string{"u-1": frankfurt,
				"u-2": mumbai}[key], `{"position":1,"name":"x"}`
		default:
			c.Kind, c.Base = center.KindApplication, rapid.Uint64Range(0, known).Draw(t, "base")
			c.Value = fmt.Sprintf(`{"id":%q,"name":"a%d","url":"https://a.example","region":%q,`+
				`"assignedTo":[{"type":%q,"id":"u-%d"}]}`,
				key, small.Draw(t, "name"), region, rapid.SampledFrom([]string{"user", "group"}).Draw(t, "type"), small.Draw(t,
					"principal"))
		}
		if gone {
			c.Value = ""
		}
		if k := string(c.Kind) + c.Key; !seen[k] {
			seen[k] = true
			out = append(out, c)
		}
	}
	return out
}

// Every order of arrival, with any duplicates, gives the same end.
func TestEveryOrderOfArrivalGivesTheSameEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := facts(t)
		one, two := replica.NewState(virginia), replica.NewState(virginia)
		for _, f := range all {
			require.NoError(t, f(one))
		}
		again := rapid.SliceOfN(rapid.SampledFrom(all), 0, 10).Draw(t, "again")
		for _, f := range rapid.Permutation(append(append([]fact{}, all...), again...)).Draw(t, "order") {
			require.NoError(t, f(two))
		}
		require.Equal(t, one.Digest(), two.Digest())
	})
}

// After every transaction the instance has been told the result of all, though only what may have
// changed is looked at.
func TestChangesLeaveNothingOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, stamps := replica.NewState(virginia), map[string]uint64{virginia: 1}
		s.Transaction(virginia, 1, true, []replica.Change{
			{Kind: center.KindRegion, Key: frankfurt, Value: `{"position":1,"name":"x"}`},
			{Kind: center.KindUser, Key: "u-1", Value: `{"id":"u-1","userName":"n1"}`}, {Kind: center.KindGroup, Key: "u-1",
				Value: `{"id":"u-1","displayName":"n1"}`},
		})
		for range rapid.IntRange(1, 40).Draw(t, "transactions") {
			region := rapid.SampledFrom([]string{virginia, frankfurt}).Draw(t, "region")
			stamps[region]++
			s.Transaction(region, stamps[region], rapid.IntRange(0, 20).Draw(t, "full") == 0,
				changes(t, region, stamps[virginia]))
			require.Equal(t, s.Afresh(), s.Shown())
		}
	})
}

// A body is bound to its subject: a message that was moved has no effect.
func TestMessagesOnlyCountWhereTheyBelong(t *testing.T) {
	e := replica.Entry("k", nil, "u-1", "s-1", 3, base)
	s := replica.NewState(virginia)
	for _, kind := range []string{"id", "signin", "everyone"} {
		require.Error(t, s.Message(virginia, "sessions", kind, e), kind)
		require.NoError(t, s.Message(virginia, "revoked", kind, e), kind)
	}
	require.Error(t, s.Message(virginia, "revoked", "session", e))

	// A Region's log can't say what isn't that Region's to say.
	before := s.Digest()
	s.Transaction(frankfurt, 1, false, []replica.Change{
		{Kind: center.KindUser, Key: "u-1", Value: `{"id":"u-1","userName":"mallory"}`},
		{Kind: "ended", Key: "u-1", Value: "99"}, {Kind: "gone", Key: "user u-1", Value: "99"}, {Kind: "replicated",
			Key: mumbai, Value: "99"},
		{Kind: center.KindApplication, Key: "a",
			Value: `{"id":"a","name":"a","url":"https://a.example","region":"us-east-1"}`},
		{Kind: center.KindApplication, Key: "b", Value: `{"id":"other","region":"eu-central-1"}`},
		{Kind: center.KindApplication, Key: "c", Value: `[]`},
	})
	assert.Equal(t, before, s.Digest())
}
