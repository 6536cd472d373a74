package acs_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

const acsPath = "/platform/saml/acs/4455"

// requestLine is a request's target and its Host field.
type requestLine struct{ target, host string }

// urlOf returns the URL that a program would derive from the request line.
func (l requestLine) urlOf() string {
	if len(l.target) > 0 && l.target[0] != '/' {
		return l.target // absolute-form (RFC 9112, 3.2.2)
	}
	return "https://" + l.host + l.target
}

// raw writes a request by hand, because Go's client doesn't write such lines.
func (w *world) raw(server *httptest.Server, l requestLine, a answer) *http.Response {
	w.t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(w.t, err)
	defer conn.Close()
	require.NoError(w.t, conn.SetDeadline(time.Now().Add(time.Minute)))
	body := w.form(a, "").Encode()
	_, err = fmt.Fprintf(
		conn,
		"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		l.target,
		l.host,
		len(body),
		body,
	)
	require.NoError(w.t, err)
	got, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(w.t, err)
	require.NoError(w.t, got.Body.Close())
	return got
}

// J21: Destination and Recipient are compared with the configured URL, whatever the request line says: a message for
// the URL in the line is refused, and one for the configured URL is accepted if the request is routed at all.
func TestJ21_RequestLineDecidesNothing(t *testing.T) {
	ours := "us-east-1.signin.example"
	for name, l := range map[string]requestLine{
		"absolute":                 {"https://evil.example" + acsPath, "evil.example"},
		"absolute, our Host":       {"https://evil.example" + acsPath, ours},
		"absolute, their Host":     {"https://" + ours + ":443" + acsPath, "evil.example"},
		"absolute, plain http":     {"http://" + ours + acsPath, ours},
		"absolute, another port":   {"https://" + ours + ":8443" + acsPath, ours},
		"absolute, userinfo":       {"https://" + ours + "@evil.example" + acsPath, ours},
		"absolute, upper case":     {"HTTPS://US-EAST-1.SIGNIN.EXAMPLE" + acsPath, ours},
		"absolute, another Region": {euACS, "eu-central-1.signin.example"},
		"query":                    {acsPath + "?x=https://evil.example", ours},
		"escaped":                  {"/platform/saml/acs/%34455", ours},
		"Host of another":          {acsPath, "evil.example"},
		"Host with a port":         {acsPath, ours + ":8443"},
		"Host of another Region":   {acsPath, "eu-central-1.signin.example"},
		"Host with a dot":          {acsPath, ours + "."},
		"Host in upper case":       {acsPath, "US-EAST-1.SIGNIN.EXAMPLE"},
		"Host an address":          {acsPath, "[::1]:443"},
		"Host empty":               {acsPath, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			server := httptest.NewServer(w.region("us-east-1", accept))
			t.Cleanup(server.Close)
			require.NotEqual(t, usACS, l.urlOf())

			there := w.raw(server, l, w.good(l.urlOf(), ""))
			require.Equal(t, http.StatusForbidden, there.StatusCode)
			require.Equal(t, string(saml.ReasonRecipient), w.lastVerdict().Reason)
			require.Zero(t, w.loginCount())

			here := w.raw(server, l, w.good(usACS, ""))
			require.Equal(t, http.StatusSeeOther, here.StatusCode, "%+v", w.lastVerdict())
			require.Equal(t, "/signed-in", here.Header.Get("Location"))
			require.Equal(t, usACS, w.lastVerdict().ACS)
		})
	}
}

// J21: a target with another path is not routed to an assertion consumer service.
func TestJ21_OddTargetsAreNotRouted(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w.region("us-east-1", accept))
	t.Cleanup(server.Close)
	for name, l := range map[string]requestLine{
		"relative":         {acsPath[1:], "us-east-1.signin.example"},
		"two slashes":      {"/" + acsPath, "us-east-1.signin.example"},
		"dots":             {"/x/.." + acsPath, "us-east-1.signin.example"},
		"asterisk":         {"*", "us-east-1.signin.example"},
		"slash at the end": {acsPath + "/", "us-east-1.signin.example"},
		"no path":          {"https://us-east-1.signin.example", "us-east-1.signin.example"},
		"Host with junk":   {acsPath, "us-east-1.signin.example/x"},
		"two Hosts":        {acsPath, "us-east-1.signin.example\r\nHost: evil.example"},
	} {
		got := w.raw(server, l, w.good(usACS, ""))
		require.Contains(
			t,
			[]int{
				http.StatusBadRequest,
				http.StatusNotFound,
				http.StatusMovedPermanently,
				http.StatusTemporaryRedirect,
				http.StatusMethodNotAllowed,
			},
			got.StatusCode,
			name,
		)
		require.Zero(t, w.loginCount(), name)
	}
}

// J21: if two URLs share a path, only the host chooses between them: a message for one is not accepted at the other.
func TestJ21_AbsoluteTargetChoosesAmongURLsOfOnePath(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w.region("eu-central-1", accept))
	t.Cleanup(server.Close)
	for _, l := range []requestLine{{euDual, "evil.example"}, {euDual, "eu-central-1.signin.example"}} {
		got := w.raw(server, l, w.good(euACS, ""))
		require.Equal(t, http.StatusForbidden, got.StatusCode)
		require.Equal(t, string(saml.ReasonRecipient), w.lastVerdict().Reason)
		require.Equal(t, http.StatusSeeOther, w.raw(server, l, w.good(euDual, "")).StatusCode)
		require.Equal(t, euDual, w.lastVerdict().ACS)
	}
	got := w.raw(server, requestLine{"https://evil.example" + acsPath, "eu-central-1.signin.example"}, w.good(euACS, ""))
	require.Equal(t, http.StatusMisdirectedRequest, got.StatusCode)
	require.Equal(t, string(acs.ReasonHost), w.lastVerdict().Reason)
}
