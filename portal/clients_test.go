package portal_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
)

// programs are Clients whose requests are their own names.
type programs struct {
	mu       sync.Mutex
	requests map[string]portal.ClientRequest
	codes    map[string]string // a request, by user code
	answers  []string
	by       portal.Approval // of the last answer
	start    string
}

func (c *programs) Request(_ context.Context, request string, _ portal.Approval) (portal.ClientRequest, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q, ok := c.requests[request]
	if !ok {
		return q, &portal.Error{Reason: portal.ReasonClientRequest}
	}
	return q, nil
}

func (c *programs) Allow(ctx context.Context, request string, by portal.Approval) (string, error) {
	return c.answer(ctx, "allow", request, by)
}

func (c *programs) Deny(ctx context.Context, request string, by portal.Approval) (string, error) {
	return c.answer(ctx, "deny", request, by)
}

func (c *programs) answer(ctx context.Context, answer, request string, by portal.Approval) (string, error) {
	q, err := c.Request(ctx, request, by)
	if err != nil || q.Redirect == "" {
		c.answers = append(c.answers, answer+" "+request)
		c.by = by
		return "", err
	}
	c.answers, c.by = append(c.answers, answer+" "+request), by
	return q.Redirect + "?" + url.Values{"answer": {answer}}.Encode(), nil
}

func (c *programs) Enter(_ context.Context, code string, _ portal.Approval) (string, error) {
	request, ok := c.codes[code]
	if !ok {
		return "", &portal.Error{Reason: portal.ReasonUserCode}
	}
	delete(c.codes, code)
	return request, nil
}

func (c *programs) StartURL() string { return c.start }

const callback = "http://127.0.0.1:45999/oauth/callback"

// withPrograms is a world in which a program waits for an answer, and another one shows a code.
func withPrograms(t *testing.T, edit func(*portal.Config)) (*world, *shared, *programs) {
	t.Helper()
	w, s := newShared(t, edit)
	until := w.clock.Now().Add(10 * time.Minute)
	c := &programs{
		requests: map[string]portal.ClientRequest{
			"here": {Name: `cli "<b>`, Scopes: []string{"see your accounts"}, Redirect: callback, Until: until},
			"there": {Name: "far", Scopes: []string{"see your accounts"}, UserCode: "BCDF-GHJK", Addr: "192.0.2.7",
				Asked: w.clock.Now(), Until: until},
		},
		codes: map[string]string{"BCDF-GHJK": "there"},
	}
	for host, h := range w.hosts {
		w.hosts[host] = h.(*portal.Portal).WithClients(c)
	}
	return w, s, c
}

var proofField = regexp.MustCompile(`name="proof" value="([0-9a-f]{64})"`)

func formOf(t *testing.T, a answer, request, answer string) url.Values {
	t.Helper()
	m := proofField.FindStringSubmatch(a.body)
	require.NotNil(t, m, a.body)
	return url.Values{"request": {request}, "proof": {m[1]}, "answer": {answer}}
}

const atClient = "https://" + virginia + "/client"

func TestConsentIsAskedAfterSignIn(t *testing.T) {
	for _, answer := range []string{"allow", "deny"} {
		w, _, c := withPrograms(t, nil)
		b := w.browser()
		a := w.signIn(b, atClient+"?request=here", "alice@example.com")
		requirePage(t, a, 200, "/client?request=here", "Allow access?", "cli &#34;&lt;b&gt;", "see your accounts",
			"Alice Adams", "us-east-1", "127.0.0.1", "a program on this computer")
		assert.Contains(t, a.Header.Get("Content-Security-Policy"), "form-action 'self' http://127.0.0.1:45999;")
		assert.Contains(t, a.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
		assert.Equal(t, "DENY", a.Header.Get("X-Frame-Options"))
		assert.Empty(t, c.answers, "GET answers nothing")
		got := b.submit(atClient, formOf(t, a, "here", answer))
		assert.Equal(t, http.StatusSeeOther, got.StatusCode)
		assert.Equal(t, callback+"?answer="+answer, got.Header.Get("Location"))
		assert.Equal(t, []string{answer + " here"}, c.answers)
		assert.Equal(t, "alice@example.com", c.by.UserID)
		requirePage(t, b.submit(atClient, formOf(t, a, "here", answer)), 400, "/client", "answered already")
		assert.Len(t, c.answers, 1, "once")
	}
}

// An answer counts only with the proof of a page that was shown to this browser in this session.
func TestConsentIsBoundToBrowserAndSession(t *testing.T) {
	w, _, c := withPrograms(t, nil)
	b, other := w.browser(), w.browser()
	a := w.signIn(b, atClient+"?request=here", "alice@example.com")
	w.signIn(other, atClient+"?request=here", "bob@example.com")
	form := formOf(t, a, "here", "allow")
	for _, site := range []string{"cross-site", "same-site"} {
		requirePage(t, b.send("POST", atClient, site, form), http.StatusForbidden, "/client", "Refused")
	}
	for name, from := range map[string]*browser{"another browser": other, "a browser without the cookie": func() *browser {
		copied := w.browser()
		cookie := &http.Cookie{Name: portal.SessionCookie, Value: b.cookie(virginia, portal.SessionCookie), Path: "/",
			Secure: true, HttpOnly: true}
		copied.put(virginia, cookie)
		return copied
	}()} {
		requirePage(t, from.submit(atClient, form), 200, "/client?request=here", "Allow access?")
		assert.Empty(t, c.answers, name)
	}
	for _, wrong := range []string{"", "x", strings.Repeat("0", 64)} {
		forged := url.Values{"request": {"here"}, "proof": {wrong}, "answer": {"allow"}}
		requirePage(t, b.submit(atClient, forged), 200, "/client?request=here", "Allow access?")
	}
	otherRequest := url.Values{"request": {"there"}, "proof": form["proof"], "answer": {"allow"}}
	requirePage(t, b.submit(atClient, otherRequest), 200, "/client?request=there", "Allow access?")
	assert.Empty(t, c.answers)

	// The browser's user changes between the page and the answer: the new user is asked.
	b.submit("https://"+virginia+"/sign-out", url.Values{})
	w.signIn(b, "https://"+virginia+"/", "bob@example.com")
	requirePage(t, b.submit(atClient, form), 200, "/client?request=here", "bob@example.com", "Allow access?")
	assert.Empty(t, c.answers)
	got := b.submit(atClient, formOf(t, b.click(atClient+"?request=here"), "here", "allow"))
	assert.Equal(t, callback+"?answer=allow", got.Header.Get("Location"))
	assert.Equal(t, "bob@example.com", c.by.UserID)
}

func TestConsentRefusesWhatIsNotAnAnswer(t *testing.T) {
	w, _, c := withPrograms(t, nil)
	b := w.browser()
	a := w.signIn(b, atClient+"?request=here", "alice@example.com")
	for _, form := range []url.Values{{}, {"request": {"here"}}, {"request": {"here"}, "answer": {"yes"}},
		{"answer": {"allow"}}} {
		requirePage(t, b.submit(atClient, form), http.StatusBadRequest, "/client", "incomplete")
	}
	requirePage(t, b.get(atClient+"?request=unknown"), 400, "/client?request=unknown", "Run the command again")
	requirePage(t, b.get(atClient), 400, "/client", "Run the command again")
	b.submit("https://"+virginia+"/sign-out", url.Values{})
	requirePage(t, b.submit(atClient, formOf(t, a, "here", "allow")), 200, "/signed-out", "signed out")
	assert.Empty(t, c.answers)
	requirePage(t, b.send("PUT", atClient, "same-origin", nil), http.StatusMethodNotAllowed, "/client")
}

const atDevice = "https://" + virginia + "/device"

func TestCodeOfADevice(t *testing.T) {
	for _, answer := range []string{"allow", "deny"} {
		w, _, c := withPrograms(t, nil)
		b := w.browser()
		a := w.signIn(b, atDevice+"?user_code=BCDF-GHJK", "alice@example.com")
		requirePage(t, a, 200, "/device?user_code=BCDF-GHJK", "Authorization requested", `value="BCDF-GHJK"`,
			"this same code", "another person", "Confirm and continue", "Cancel")
		assert.Len(t, c.codes, 1, "a link enters nothing")
		a = b.submit(atDevice, url.Values{"user_code": {"BCDF-GHJK"}, "answer": {"continue"}})
		requirePage(t, a, 200, "/client?request=there", "This may be another computer", "192.0.2.7", "BCDF-GHJK",
			"another person")
		assert.Contains(t, a.Header.Get("Content-Security-Policy"), "form-action 'self';")
		assert.Empty(t, c.answers)
		a = b.submit(atClient, formOf(t, a, "there", answer))
		requirePage(t, a, 200, "/client", map[string]string{"allow": "Request approved", "deny": "Request denied"}[answer],
			"close this window")
		assert.Equal(t, []string{answer + " there"}, c.answers)
	}
}

func TestCodeThatIsNotValid(t *testing.T) {
	w, _, c := withPrograms(t, nil)
	b := w.browser()
	requirePage(t, w.signIn(b, atDevice, "alice@example.com"), 200, "/device", "Enter the code of a program")
	for given, shown := range map[string]string{"bcdf-ghjk": "BCDF-GHJK", "%3Cscript%3E": "", "A%20B": "",
		strings.Repeat("B", 17): ""} {
		a := b.get(atDevice + "?user_code=" + given)
		assert.Contains(t, a.body, `value="`+shown+`"`)
	}
	a := b.submit(atDevice, url.Values{"user_code": {"WRONG"}, "answer": {"continue"}})
	requirePage(t, a, http.StatusBadRequest, "/device", `value="WRONG"`, "This code is not valid")
	requirePage(t, b.submit(atDevice, url.Values{"user_code": {"WRONG"}, "answer": {"cancel"}}), 200, "/device",
		"Request denied")
	requirePage(t, b.submit(atDevice, url.Values{"user_code": {"BCDF-GHJK"}}), http.StatusBadRequest, "/device")
	assert.Empty(t, c.answers)
	requirePage(t, b.submit(atDevice, url.Values{"user_code": {"BCDF-GHJK"}, "answer": {"cancel"}}), 200, "/device",
		"Request denied")
	assert.Equal(t, []string{"deny there"}, c.answers)
	requirePage(t, b.submit(atDevice, url.Values{"user_code": {"BCDF-GHJK"}, "answer": {"continue"}}), 400, "/device",
		"This code is not valid")
}

// A portal without clients has no such pages.
func TestPortalWithoutClients(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	requirePage(t, b.click(atClient), http.StatusNotFound, "/client")
	requirePage(t, b.click(atDevice), http.StatusNotFound, "/device")
}

// The request reaches the page also where the portal and its consumer have different hosts.
func TestConsentWhereThePortalIsApart(t *testing.T) {
	w := newApart(t, nil)
	request := strings.Repeat("r", 1000)
	c := &programs{requests: map[string]portal.ClientRequest{request: {Name: "cli", Redirect: callback}}}
	for _, hosts := range [][2]string{{startVirginia, virginia}, {startFrankfurt, frankfurt}} {
		h := w.hosts[hosts[0]].(*portal.Portal).WithClients(c)
		w.hosts[hosts[0]], w.hosts[hosts[1]] = h, h
	}
	a := w.signIn(w.browser(), "https://"+startVirginia+"/client?request="+request, "alice@example.com")
	requirePage(t, a, 200, "/client?request="+request, "Allow access?")
}

// The page of a role says how AWS's command line gets its keys, if programs are let in.
func TestAccessKeysOfARole(t *testing.T) {
	w, _, c := withPrograms(t, func(c *portal.Config) { c.AWS = true })
	b := w.browser()
	const path = "/accounts/111122223333/ReadOnly"
	requirePage(t, w.signIn(b, "https://"+virginia+path, "alice@example.com"), 200, path, "Access keys",
		"[profile ReadOnly-111122223333-us-east-1]", "sso_start_url = https://"+virginia+"\n", "sso_region = us-east-1",
		"aws sso login --profile ReadOnly-111122223333-us-east-1")
	c.start = "https://ssoins-1.portal.us-east-1.app.aws"
	requirePage(t, b.click("https://"+virginia+path), 200, path, "sso_start_url = "+c.start+"\n")
	c.start = "https://ssoins-1.portal.us-east-1.app.aws\ncredential_process = evil"
	a := b.click("https://" + virginia + path)
	requirePage(t, a, 200, path, "ReadOnly")
	assert.NotContains(t, a.body, "Access keys")
	assert.NotContains(t, a.body, "evil")
	requirePage(t, b.click("https://"+virginia+"/accounts/111122223333/Admin"), http.StatusNotFound,
		"/accounts/111122223333/Admin", "no such permission set")
}

// Names that would add lines to the configuration, or that AWS doesn't have, get no profile.
func TestAccessKeysOfOtherNames(t *testing.T) {
	for _, bad := range [][2]string{{"Read Only", "111122223333"}, {"A\nb = c", "111122223333"}, {"", "111122223333"},
		{"ReadOnly", "1"}, {"ReadOnly", "111122223333\n"}, {"ReadOnly\n", "111122223333"}} {
		assert.Empty(t, portal.AccessKeys("https://a.example", bad[0], bad[1]), "%q", bad)
	}
	assert.Contains(t, portal.AccessKeys("https://a.example", "Read_Only+=,.@-", "111122223333"), "Read_Only+=,.@-")
}
