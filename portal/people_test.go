package portal_test

import (
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/center"
)

const (
	peoplePath = "/operator/people"
	personPath = peoplePath + "/person?id="
	endPath    = peoplePath + "/end"
)

// Each name, address and ID of a user finds the user. What names a user exactly comes first.
func TestPeopleAreFound(t *testing.T) {
	inst, err := center.New(center.Data{
		Regions: []center.Region{{Name: "us-east-1"}},
		Users: []center.User{
			{ID: "1", UserName: "Zoe.Zander@example.com", DisplayName: "Zoë Zander", Email: "zz@mail.example",
				ExternalID: "00u7", GivenName: "Zoë", FamilyName: "Zander"},
			{ID: "2", UserName: "adam@example.com", DisplayName: "Adam zz@mail.example"},
			{ID: "3", UserName: "Bea"},
		},
	})
	require.NoError(t, err)
	s := inst.Snapshot()
	for query, want := range map[string][]string{
		"zoe.zander@EXAMPLE.com": {"1"}, "ZAND": {"1"}, "zoË": {"1"}, "zander zoë": {"1"}, "00u7": {"1"}, "00u": nil,
		s.UserUUID("1"): {"1"}, strings.ToUpper(s.UserUUID("2")): {"2"}, "3": {"3"}, "ZZ@mail.example": {"1", "2"},
		"example": {"2", "1"}, "": {"2", "3", "1"}, "zander bea": nil, "%": nil, "Bea": {"3"},
	} {
		got, next := portal.FindPeople(query, s, "")
		assert.Equal(t, want, got, "%q", query)
		assert.Empty(t, next)
	}
	got, _ := portal.FindPeople("ZZ@mail.example", s, "2")
	assert.Equal(t, []string{"2"}, got, "exact ones are on the first page only")
}

// With 100,000 users a search looks at a bounded part of them, and allocates for what it finds only. Its parts together
// find each user once.
func TestSearchOverManyPeopleIsBounded(t *testing.T) {
	var all []center.User
	var want []string
	for i := range 100_000 {
		name := fmt.Sprintf("user%06d@example.com", i)
		all = append(all, center.User{ID: name, UserName: name, DisplayName: fmt.Sprintf("Person %06d", i)})
		if strings.Contains(name, "0999") {
			want = append(want, name)
		}
	}
	from := func(id string) iter.Seq[center.User] {
		i, _ := slices.BinarySearchFunc(all, id, func(u center.User, id string) int { return strings.Compare(u.ID, id) })
		return slices.Values(all[i:])
	}
	for _, query := range []string{"nothing has this", "PERSON 09"} {
		allocs := testing.AllocsPerRun(3, func() { portal.LookAt(query, slices.Values(all)) })
		assert.Less(t, allocs, 100.0, query)
	}
	_, next := portal.LookAt("nothing has this", slices.Values(all))
	assert.Equal(t, all[portal.MaxLooked].ID, next)

	var got []string
	for id := ""; ; {
		ids, next := portal.LookAt("9 person 0999", from(id))
		require.LessOrEqual(t, len(ids), 20)
		slices.Sort(ids)
		got = append(got, ids...)
		if next == "" {
			break
		}
		id = next
	}
	assert.Equal(t, want, got)
}

// An operator finds a user, sees sessions of all Regions and ends one sign-in, and then all.
func TestOperatorEndsSessions(t *testing.T) {
	logs := newAudits(t)
	w, s := newShared(t, func(c *portal.Config) { bobOperates(c); logs.edit(c) })
	laptop, phone, bob := w.browser(), w.browser(), w.browser()
	laptop.Header = http.Header{"User-Agent": {"Mozilla/5.0 (Windows NT 10.0) Firefox/130.0"}}
	phone.Header = http.Header{"User-Agent": {"Mozilla/5.0 (iPhone) Safari/605.1"}}
	w.signIn(laptop, "https://"+virginia+"/", "alice@example.com")
	laptop.get(fromVirginia) // a handoff to Frankfurt
	w.clock.Advance(time.Minute)
	w.signIn(phone, "https://"+frankfurt+"/", "alice@example.com")
	w.signIn(bob, "https://"+frankfurt+"/", "bob@example.com")
	at := "https://" + frankfurt

	requirePage(t, bob.click(at+"/operator"), 200, "/operator", `action="/operator/people"`)
	requirePage(t, bob.click(at+peoplePath), 200, peoplePath, "Alice Adams", "dora@example.com", "Not active",
		"&lt;script&gt;")
	requirePage(t, bob.click(at+peoplePath+"?q=ADAMS"), 200, peoplePath+"?q=ADAMS",
		`href="/operator/people/person?id=alice%40example.com"`, "5 people were searched")
	const person = personPath + "alice@example.com"
	page := bob.click(at + person)
	requirePage(t, page, 200, person, "Firefox on Windows", "Safari on iPhone", "N. Virginia", "Frankfurt", "Developers",
		"ReadOnly", "Wiki", "Lab &amp; &lt;b&gt;")
	ends := regexp.MustCompile(`href="(/operator/people/end\?id=alice%40example.com&amp;session=[0-9a-f]{32})"`).
		FindAllStringSubmatch(page.body, -1)
	require.Len(t, ends, 3, "two of the laptop's sign-in, and the phone's")

	ask := strings.ReplaceAll(ends[0][1], "&amp;", "&") // the newest: the phone's
	requirePage(t, bob.click(at+ask), 200, ask, "End this session?", "signed out of this session", "Safari on iPhone")
	list := func() (hosts []string) {
		all, err := s.sessions.List(t.Context(), "alice@example.com")
		require.NoError(t, err)
		for _, one := range all {
			hosts = append(hosts, one.Region)
		}
		return hosts
	}
	require.Len(t, list(), 3, "a question ends nothing")
	form := func(ask string) url.Values {
		u, err := url.Parse(ask)
		require.NoError(t, err)
		return u.Query()
	}
	requirePage(t, bob.send("POST", at+endPath, "cross-site", form(ask)), http.StatusForbidden, endPath, "Refused")
	requirePage(t, bob.submit(at+endPath, form(ask)), 200, endPath, "The session was ended here", "Firefox on Windows")
	assert.ElementsMatch(t, []string{"eu-central-1", "us-east-1"}, list())
	requireAtIdP(t, w, phone.click("https://"+frankfurt+"/"))
	requirePage(t, bob.submit(at+endPath, form(ask)), http.StatusNotFound, endPath, "has ended already")
	requirePage(t, bob.click(at+ask), http.StatusNotFound, ask, "has ended already")

	ask = strings.ReplaceAll(ends[1][1], "&amp;", "&")
	requirePage(t, bob.click(at+ask), 200, ask, "signed out of these sessions", "N. Virginia", "Frankfurt")
	requirePage(t, bob.submit(at+endPath, form(ask)), 200, endPath, "No sessions.")
	assert.Empty(t, list(), "the sessions of a sign-in end together, in both Regions")
	requireAtIdP(t, w, laptop.click("https://"+virginia+"/"))

	w.signIn(laptop, "https://"+virginia+"/", "alice@example.com")
	all := endPath + "?id=alice@example.com"
	requirePage(t, bob.click(at+all), 200, all, "End all sessions of Alice Adams?", "in every Region")
	requirePage(t, bob.submit(at+endPath, form(all)), 200, endPath, "All sessions of alice@example.com were ended")
	requireAtIdP(t, w, laptop.click("https://"+virginia+"/"))
	assert.Contains(t, w.logged(), "user=alice@example.com by=bob@example.com")

	changes, _ := logs.lines("eu-central-1", audit.Changes, 3)
	require.Equal(t, []string{"RevokeUserSession", "RevokeUserSession", "RevokeUserSessions"}, eventNames(changes))
	assert.Equal(t, "bob@example.com", changes[0].Identity.UserName)
	assert.Equal(t, form(strings.ReplaceAll(ends[0][1], "&amp;", "&")).Get("session"), changes[0].Request["sessionId"])
}

// A program's session ends alone: it can't hand a session to a browser.
func TestOperatorEndsTheSessionOfAProgram(t *testing.T) {
	w, s := newShared(t, bobOperates)
	b, bob := w.browser(), w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	w.signIn(bob, "https://"+virginia+"/", "bob@example.com")
	list, err := s.sessions.List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	program := list[0]
	program.ID, program.Client = strings.Repeat("0a", 16), "Command line"
	require.NoError(t, s.sessions.Create(t.Context(), "program", program))
	requirePage(t, bob.click("https://"+virginia+personPath+"alice@example.com"), 200, personPath+"alice@example.com",
		"<q>Command line</q>")
	requirePage(t, bob.submit("https://"+virginia+endPath, url.Values{
		"id": {"alice@example.com"}, "session": {program.ID},
	}), 200, endPath, "The session was ended here")
	_, err = s.sessions.Get(t.Context(), "program")
	assert.ErrorIs(t, err, sessions.ErrNoSession)
	requirePage(t, b.click("https://"+virginia+"/"), 200, "/", "Alice Adams")
}

// Sessions are found by the addresses and IDs that events have. An event leads to its user.
func TestSessionsAreFoundByAddressAndID(t *testing.T) {
	logs := newAudits(t)
	addr := "192.0.2.1"
	w, s := newShared(t, func(c *portal.Config) {
		bobOperates(c)
		logs.edit(c)
		c.ClientAddr = func(*http.Request) string { return addr }
	})
	alice, eve, bob := w.browser(), w.browser(), w.browser()
	at := "https://" + virginia
	w.signIn(alice, at+"/", "alice@example.com")
	addr = "192.0.2.10"
	w.signIn(eve, at+"/", "eve@example.com")
	addr = "2001:db8::1"
	w.signIn(bob, at+"/", "bob@example.com")
	list, err := s.sessions.List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	for _, q := range []string{"192.0.2.1", list[0].ID, " " + list[0].ID + " "} {
		a := bob.click(at + peoplePath + "?" + url.Values{"q": {q}}.Encode())
		require.Equal(t, 200, a.StatusCode, a.body)
		assert.Contains(t, a.body, `id=alice%40example.com"><strong>Alice Adams`, q)
		assert.Contains(t, a.body, list[0].ID)
		assert.NotContains(t, a.body, "eve%40example.com", "another address that begins alike")
	}
	assert.Contains(t, bob.click(at+peoplePath+"?q=2001:DB8:0::1").body, "bob%40example.com")
	alice.submit(at+"/sign-out", nil)
	requirePage(t, bob.click(at+peoplePath+"?q=192.0.2.1"), 200, peoplePath+"?q=192.0.2.1",
		"no session that is still alive", `href="/operator/audit?q=192.0.2.1"`)
	assert.Contains(t, bob.click(at+"/operator/audit?q=192.0.2.1").body,
		`href="/operator/people/person?id=alice%40example.com"`)
}

// Other users can't hide a session from a search by its address: neither by addresses that begin alike, nor by a user
// agent that is the address. The search is an event.
func TestSessionsAreFoundWhateverOtherClientsWrite(t *testing.T) {
	logs := newAudits(t)
	w, _ := newShared(t, func(c *portal.Config) {
		bobOperates(c)
		logs.edit(c)
		c.ClientAddr = func(*http.Request) string { return "192.0.2.1" }
	})
	alice, bob := w.browser(), w.browser()
	at := "https://" + virginia
	w.signIn(alice, at+"/", "alice@example.com")
	w.signIn(bob, at+"/", "bob@example.com")
	for i := range 21 {
		other := audit.User(fmt.Sprint("other ", i), "other", "")
		require.NoError(t, logs.logs["us-east-1"].Access(t.Context(), audit.Event{
			Source: audit.SourceSSO, Name: "Authenticate", ClientAddr: fmt.Sprint("192.0.2.1", i), UserAgent: "192.0.2.1",
			Identity: other,
		}))
	}
	page := bob.click(at + peoplePath + "?q=192.0.2.1")
	require.Equal(t, 200, page.StatusCode, page.body)
	assert.Contains(t, page.body, `id=alice%40example.com"><strong>Alice Adams`)
	assert.NotContains(t, page.body, "There may be more sessions")
	all, _ := logs.lines("us-east-1", audit.Access, 1)
	last := all[len(all)-1]
	assert.Equal(t, "SearchAuditLog", last.Name)
	assert.Equal(t, "bob@example.com", last.Identity.UserName)
	assert.Equal(t, "192.0.2.1", last.Request["text"])
}

// The pages are for operators, and show what they can without events.
func TestPeopleAreForOperators(t *testing.T) {
	w, _ := newShared(t, bobOperates)
	alice, bob := w.browser(), w.browser()
	at := "https://" + virginia
	w.signIn(alice, at+"/", "alice@example.com")
	w.signIn(bob, at+"/", "bob@example.com")
	for _, path := range []string{peoplePath, personPath + "bob@example.com", endPath + "?id=bob@example.com"} {
		requirePage(t, alice.click(at+path), http.StatusNotFound, path, "Not found")
	}
	requirePage(t, alice.submit(at+endPath, url.Values{"id": {"bob@example.com"}}), http.StatusNotFound, endPath)
	requirePage(t, bob.click(at+"/operator"), 200, "/operator")
	for _, path := range []string{personPath, personPath + "x", endPath, endPath + "?id=x"} {
		requirePage(t, bob.click(at+path), http.StatusNotFound, path, "The directory has no such user")
	}
	requirePage(t, bob.submit(at+endPath, url.Values{}), http.StatusBadRequest, endPath)
	requirePage(t, bob.submit(at+endPath, url.Values{"id": {"x"}}), http.StatusNotFound, endPath)
	requirePage(t, bob.click(at+personPath+"dora@example.com"), 200, personPath+"dora@example.com", "is not active")
	requirePage(t, bob.click(at+peoplePath+"?q=192.0.2.1"), 200, peoplePath+"?q=192.0.2.1", "keeps no events")
	requirePage(t, bob.click(at+peoplePath+"?q=%3Cb%3E"), 200, peoplePath+"?q=%3Cb%3E", "&lt;b&gt;", "No person has this")
}
