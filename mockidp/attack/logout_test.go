package attack_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

const (
	logoutURL    = "https://us.signin.example/logout"
	sessionIndex = "_session1"
	// logoutRequestID is the ID of a LogoutRequest to issuer from logoutURL, by which a service provider may tell where it
	// was made, as Meridian's does.
	logoutRequestID = "_fd33308aaa00131d-ca2c77efc16a73c92fc83f4c7fed3760-5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
)

// logoutParams returns the same parameters each time, so that messages can be compared.
func logoutParams(c attack.LogoutCase) attack.LogoutParams {
	n := attack.Needs{Key: c.Key, Encrypted: c.Encrypted, SP: attack.Settings{OtherIdP: c.OtherIdP}}
	p := attack.LogoutParams{
		Params: params(attack.Case{ID: c.ID}, n), SessionIndex: sessionIndex, InResponseTo: logoutRequestID,
	}
	p.Recipient, p.RequestID = logoutURL, requestToIssuer
	return p
}

// logoutVectors returns the vectors of all cases and of the good messages that are their twins, by ID.
func logoutVectors(t *testing.T, said *comments) map[string][]byte {
	t.Helper()
	out, twins := make(map[string][]byte), make(map[string]string)
	twinOf := func(c attack.LogoutCase, seed string) (string, attack.LogoutMessage) {
		p := logoutParams(c)
		p.Rand = rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%-32.32s", seed))))
		m, err := c.Twin(p)
		require.NoError(t, err, c.ID)
		return string(logoutVector(about{}, c, attack.LogoutOutcome{}, m)), m
	}
	for _, c := range attack.LogoutCases() {
		if g := goodOf(c.ID); g >= 0 {
			same, _ := twinOf(c, "")
			twins[same] = good[g].id
			_, m := twinOf(c, good[g].id)
			a := about{id: good[g].id, name: goodName, comment: good[g].comment}
			out[a.id] = logoutVector(a, c, attack.LogoutOutcome{}, m)
		}
	}
	for _, c := range attack.LogoutCases() {
		m, err := c.Make(logoutParams(c))
		require.NoError(t, err, c.ID)
		same, _ := twinOf(c, "")
		require.NotEmpty(t, twins[same], "no vector is the twin of %s; add a good one", c.ID)
		a := about{c.ID, c.Name, c.Description, c.Reference, said.onLogout(t, c), twins[same]}
		out[c.ID] = logoutVector(a, c, c.Outcome, m)
	}
	return out
}

// logoutVector returns the vector of a logout message: a case's, or its twin's.
func logoutVector(a about, c attack.LogoutCase, o attack.LogoutOutcome, m attack.LogoutMessage) []byte {
	var h headers
	h.line("kind", "logout")
	h.about(a)
	h.line("expect", o.String())
	if o.Accepted() && !c.Answer {
		ends := "the session"
		if o.OtherSubject {
			ends = "nothing"
		}
		h.line("ends", ends)
		h.when(o.AllSessions, "sessions", "all")
	}
	h.line("binding", c.Binding.String())
	h.line("parameter", m.Param)
	h.when(m.RelayState != "", "relay-state", m.RelayState)
	h.line("idp", issuer)
	h.line("idp-key", keyFile(c.Key))
	h.when(c.OtherIdP, "other-idp", otherIssuer)
	h.when(c.OtherIdP, "other-idp-key", "other-idp-rsa.pem")
	h.line("sp", audience)
	h.line("logout", logoutURL)
	h.when(c.Encrypted, "sp-key", "sp-rsa.pem")
	h.line("name-id", strconv.Quote("alice@example.com"))
	h.line("session-index", sessionIndex)
	h.when(c.Answer, "request-id", logoutRequestID)
	h.line("now", now.Format(time.RFC3339))
	switch {
	case len(m.Text) > biggest || a.id == "G26/bomb" || a.id == "G26/too-large": // DEFLATE is not the same in every Go
		h.line("body", "generated")
		h.WriteString("\n")
	case c.Binding == attack.ByPOST:
		h.line("body", "xml")
		fmt.Fprintf(&h, "\n%s\n", m.XML)
	default:
		h.line("body", "sent")
		fmt.Fprintf(&h, "\n%s\n", m.Text)
	}
	return h.Bytes()
}

func (w *comments) onLogout(t *testing.T, c attack.LogoutCase) string {
	t.Helper()
	if text, ok := w.written[c.ID]; ok {
		w.used[c.ID] = true
		return text
	}
	twin, err := c.Twin(logoutParams(c))
	require.NoError(t, err, c.ID)
	is, err := c.Make(logoutParams(c))
	require.NoError(t, err, c.ID)
	when, _ := c.Stage()
	changes, err := treeDifference(twin.XML, is.XML)
	if err != nil || when == "" || changes == "" {
		assert.Fail(t, "write a comment in testdata/comments.txt", "%s (%v)", c.ID, err)
	}
	if c.Binding != attack.ByPOST {
		when = "By " + c.Binding.String() + ", " + strings.ToLower(when)
	}
	return sentence(t, c.ID, when+", "+changes)
}

func TestLogoutCasesAreWellFormed(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range attack.Cases() {
		seen[c.ID] = true
	}
	id := regexp.MustCompile(`^[G-K]\d\d(/[a-z0-9.-]+)?$`)
	for _, c := range attack.LogoutCases() {
		require.Regexp(t, id, c.ID)
		require.False(t, seen[c.ID], "duplicate ID %s", c.ID)
		seen[c.ID] = true
		require.NotEmpty(t, c.Name, c.ID)
		require.False(t, c.Outcome.OtherSubject && !c.Outcome.Accepted(), c.ID)
		one, err := c.Make(logoutParams(c))
		require.NoError(t, err, c.ID)
		again, err := c.Make(logoutParams(c))
		require.NoError(t, err, c.ID)
		require.Equal(t, one, again, "%s: the same parameters give the same message", c.ID)
		twin, err := c.Twin(logoutParams(c))
		require.NoError(t, err, c.ID)
		require.NotEqual(t, one.Text, twin.Text, c.ID)
	}
}

func TestLogoutMessageNeedsItsParameters(t *testing.T) {
	for _, c := range attack.LogoutCases() {
		for name, change := range map[string]func(*attack.LogoutParams){
			"no session":        func(p *attack.LogoutParams) { p.SessionIndex = "" },
			"no identity":       func(p *attack.LogoutParams) { p.Issuer = "" },
			"no time":           func(p *attack.LogoutParams) { p.Now = time.Time{} },
			"no key":            func(p *attack.LogoutParams) { p.Key = nil },
			"nothing to answer": func(p *attack.LogoutParams) { p.InResponseTo = "" },
		} {
			p := logoutParams(c)
			change(&p)
			_, err := c.Make(p)
			if name == "nothing to answer" && !c.Answer {
				require.NoError(t, err, c.ID)
				continue
			}
			var e *attack.Error
			require.ErrorAs(t, err, &e, "%s: %s", c.ID, name)
			require.Equal(t, c.ID, e.Rule)
		}
	}
}
