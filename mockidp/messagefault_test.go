package mockidp_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	crewjam "github.com/crewjam/saml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// inject puts a fault in force for one message.
func inject(t *testing.T, idp *mockidp.Server, kind mockidp.FaultKind) {
	t.Helper()
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: kind, Count: 1}))
}

// faultsOf returns the kinds with a prefix.
func faultsOf(prefix string) (out []mockidp.FaultKind) {
	for _, kind := range mockidp.FaultKinds() {
		if strings.HasPrefix(string(kind), prefix) {
			out = append(out, kind)
		}
	}
	return out
}

// crewjam/saml refuses each fault, with this in its error, and accepts what comes without it.
var artifactRefusals = map[mockidp.FaultKind]string{
	mockidp.ArtifactMalformed: "expected 44", mockidp.ArtifactSource: "SourceID",
	mockidp.ArtifactNoIndex:       "Response",
	mockidp.ArtifactInResponseTo:  "`InResponseTo` does not match the artifact request ID",
	mockidp.ArtifactIssuer:        "response Issuer does not match",
	mockidp.ArtifactOtherIdP:      "ssuer",
	mockidp.ArtifactStatus:        "Responder",
	mockidp.ArtifactEmpty:         "Response",
	mockidp.ArtifactTwo:           "expected exactly one",
	mockidp.ArtifactLogoutRequest: "Response",
	mockidp.ArtifactInside:        "ignature",
	mockidp.ArtifactTampered:      "ignature",
	mockidp.ArtifactOtherKey:      "ignature",
	mockidp.ArtifactUnsigned:      "signature element not present",
}

func TestArtifactFaults(t *testing.T) {
	idp := start(t, mockidp.Config{})
	sp := addArtifactSP(t, idp, wiki, nil)
	for _, kind := range faultsOf("artifact-") {
		outside := kind == mockidp.ArtifactUnsigned
		updateApp(t, idp, sp.app, func(a *mockidp.App) {
			if a.Sign = mockidp.SignBoth; outside {
				a.Sign = mockidp.SignArtifactResponse
			}
		})
		inject(t, idp, kind)
		f := sp.ask(t)
		_, err := sp.resolve(t, f)
		assert.Empty(t, idp.Faults(), kind)
		if kind == mockidp.ArtifactAgain {
			require.NoError(t, err)
			_, err = sp.resolve(t, f)
			require.NoError(t, err, "the second time")
			continue
		}
		require.Contains(t, artifactRefusals, kind)
		assert.ErrorContains(t, err, artifactRefusals[kind], kind)
		_, err = sp.resolve(t, sp.ask(t))
		assert.NoError(t, err, "without %s", kind)
	}
}

func TestAttributeFaults(t *testing.T) {
	idp := start(t, staff())
	sp := addQuerySP(t, idp, nil)
	for kind, want := range map[mockidp.FaultKind]string{
		mockidp.AttributesSubject: "does not match the queried NameID", mockidp.AttributesAudience: "udience",
		mockidp.AttributesUnsigned: "signed", mockidp.AttributesUnasked: "does not match the attribute query ID"} {
		inject(t, idp, kind)
		_, err := sp.QueryAttributes(t.Context(), queried(alice))
		assert.ErrorContains(t, private(err), want, kind)
		_, err = sp.QueryAttributes(t.Context(), queried(alice))
		assert.NoError(t, private(err), "without %s", kind)
	}
	assert.Len(t, faultsOf("attributes-"), 4)
}

// logoutFault says what a fault is for, and what crewjam/saml says about it; "" if it accepts the message.
type logoutFault struct{ request, response string }

var logoutFaults = map[mockidp.FaultKind]logoutFault{
	mockidp.LogoutUnsigned: {"ign", "ign"}, mockidp.LogoutTampered: {"ign", "ign"}, mockidp.LogoutOtherKey: {"ign", "ign"},
	mockidp.LogoutDestination: {"Destination", "Destination"},
	mockidp.LogoutExpired:     {request: "expired"}, mockidp.LogoutNoEnd: {},
	mockidp.LogoutEncryptedForOther: {request: "EncryptedID"}, mockidp.LogoutCiphertext: {request: "EncryptedID"},
	mockidp.LogoutInResponseTo: {response: "InResponseTo"}, mockidp.LogoutPartial: {}, mockidp.LogoutSilent: {},
}

// ofRequests reports whether a fault is for LogoutRequests only.
func ofRequests(kind mockidp.FaultKind) bool {
	return kind == mockidp.LogoutExpired || kind == mockidp.LogoutNoEnd || kind == mockidp.LogoutEncryptedForOther ||
		kind == mockidp.LogoutCiphertext
}

func TestLogoutFaultsInTheBrowser(t *testing.T) {
	require.Len(t, faultsOf("logout-"), len(logoutFaults))
	for name, binding := range logoutBindings {
		idp := start(t, mockidp.Config{})
		a, c := addLogoutSP(t, idp, wiki, binding), addLogoutSP(t, idp, mail, binding)
		for kind, want := range logoutFaults {
			t.Run(name+"/"+string(kind), func(t *testing.T) {
				isResponse := kind == mockidp.LogoutInResponseTo || kind == mockidp.LogoutPartial || kind == mockidp.LogoutSilent
				if !isResponse {
					b := newBrowser(t, idp)
					a.signIn(b)
					c.signIn(b)
					inject(t, idp, kind)
					req, err := c.ValidateLogoutRequest(c.received(t, a.send(b, a.request(nil))))
					if want.request != "" {
						require.ErrorContains(t, private(err), want.request)
					} else {
						require.NoError(t, private(err))
						assert.Equal(t, kind == mockidp.LogoutNoEnd, req.NotOnOrAfter == nil)
					}
				}
				if ofRequests(kind) {
					return
				}
				idp.ClearFaults("")
				b := newBrowser(t, idp)
				a.signIn(b)
				inject(t, idp, kind)
				req := a.request(nil)
				p := a.send(b, req)
				assert.Empty(t, idp.Faults())
				assert.False(t, b.signedIn())
				if kind == mockidp.LogoutSilent {
					p.contains(t, "gets no answer")
					return
				}
				resp, err := a.ParseLogoutResponse(a.received(t, p), []string{req.ID})
				if want.response != "" {
					require.ErrorContains(t, private(err), want.response)
					return
				}
				require.NoError(t, private(err))
				assert.Equal(t, mockidp.StatusPartialLogout, resp.Status.StatusCode.StatusCode.Value)
			})
		}
	}
}

func TestLogoutFaultsBySOAP(t *testing.T) {
	idp := start(t, mockidp.Config{})
	sp := addSOAPSP(t, idp)
	for kind, want := range logoutFaults {
		if kind != mockidp.LogoutInResponseTo && kind != mockidp.LogoutPartial && kind != mockidp.LogoutSilent {
			sp.signIn(newBrowser(t, idp))
			had := len(sp.requests())
			inject(t, idp, kind)
			done, err := idp.Logout(t.Context(), alice)
			require.NoError(t, err)
			require.Len(t, done.Told, 1, kind)
			assert.Equal(t, want.request == "", done.Told[0].Problem == "", "%s: %v", kind, done.Told)
			if want.request != "" {
				assert.Len(t, sp.requests(), had, kind)
				assert.Contains(t, done.Told[0].Problem, want.request, kind)
			}
		}
		if ofRequests(kind) {
			continue
		}
		b := newBrowser(t, idp)
		sp.signIn(b)
		inject(t, idp, kind)
		ctx, cancel := context.WithCancel(t.Context())
		if kind == mockidp.LogoutSilent {
			ctx, cancel = context.WithTimeout(ctx, time.Second)
		}
		resp, err := sp.SendSOAPLogoutRequest(ctx, must(sp.soapRequest(nil)))
		cancel()
		switch {
		case kind == mockidp.LogoutSilent:
			assert.ErrorIs(t, err, context.DeadlineExceeded)
		case want.response != "":
			assert.ErrorContains(t, private(err), want.response, kind)
		default:
			require.NoError(t, private(err))
			assert.Equal(t, mockidp.StatusPartialLogout, resp.Status.StatusCode.StatusCode.Value)
		}
		assert.False(t, b.signedIn(), kind)
		assert.Empty(t, idp.Faults(), kind)
	}
}

func TestFaultsBySOAP(t *testing.T) {
	idp := start(t, staff())
	sp := addQuerySP(t, idp, nil)
	client := idp.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	ask := func(ctx context.Context) (*http.Response, error) {
		query := must(sp.MakeAttributeQuery(queried(alice)))
		r := must(http.NewRequestWithContext(ctx, http.MethodPost, query.Destination,
			strings.NewReader(string(written(query.SoapRequest())))))
		r.Header.Set("Content-Type", "text/xml")
		return client.Do(r)
	}
	const good = "<saml2:AttributeStatement"
	for _, c := range []struct {
		fault  mockidp.Fault
		status int
		kind   string // of the Content-Type
		want   string
	}{
		{mockidp.Fault{Kind: mockidp.SOAPFault}, 500, "text/xml", "<S:Fault>"},
		{mockidp.Fault{Kind: mockidp.SOAPHTML}, 200, "text/html", "<!DOCTYPE html>"},
		{mockidp.Fault{Kind: mockidp.SOAPRedirect}, 307, "", ""},
		{mockidp.Fault{Kind: mockidp.SOAPRedirect, URL: "http://169.254.169.254/"}, 307, "", ""},
		{mockidp.Fault{Kind: mockidp.SOAPSlow, For: 100 * time.Millisecond}, 200, "text/xml", good},
		{mockidp.Fault{Kind: mockidp.SOAPType}, 200, "application/octet-stream", good},
		{mockidp.Fault{Kind: mockidp.SOAPDoctype}, 200, "text/xml", "<!DOCTYPE Envelope><S:Envelope"},
		{mockidp.Fault{Kind: mockidp.SOAPHeader}, 200, "text/xml", `S:mustUnderstand="1"`},
		{mockidp.Fault{Kind: mockidp.ServerError, Endpoint: mockidp.EndpointAttributes}, 503, "text/plain", "fault"},
		{mockidp.Fault{Kind: mockidp.SOAPFault, Endpoint: mockidp.EndpointAttributes, App: sp.app}, 500, "text/xml",
			"<S:Fault>"},
	} {
		c.fault.Count = 1
		require.NoError(t, idp.Inject(c.fault))
		resp, err := ask(t.Context())
		require.NoError(t, err)
		body := string(must(io.ReadAll(resp.Body)))
		resp.Body.Close()
		assert.Equal(t, c.status, resp.StatusCode, c.fault.Kind)
		assert.True(t, strings.HasPrefix(resp.Header.Get("Content-Type"), c.kind), resp.Header)
		assert.Contains(t, body, c.want, c.fault.Kind)
		if c.fault.Kind == mockidp.SOAPRedirect {
			to := resp.Header.Get("Location")
			assert.True(t, to == c.fault.URL || c.fault.URL == "" && strings.HasSuffix(to, "/attributes/soap"), to)
		}
		assert.Empty(t, idp.Faults())
		got, err := sp.QueryAttributes(t.Context(), queried(alice))
		require.NoError(t, private(err), "without %s", c.fault.Kind)
		assert.NotEmpty(t, got.Attributes)
	}
	for _, f := range []mockidp.Fault{{Kind: mockidp.SOAPEndless}, {Kind: mockidp.SOAPSlow},
		{Kind: mockidp.Delay, For: time.Hour, Endpoint: mockidp.EndpointAttributes}} {
		f.Count = 1
		require.NoError(t, idp.Inject(f))
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		resp, err := ask(ctx)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		cancel()
		assert.ErrorIs(t, err, context.DeadlineExceeded, f.Kind)
	}
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.DropConnection, Endpoint: mockidp.EndpointAttributes}))
	_, err := ask(t.Context())
	require.Error(t, err)
	idp.ClearFaults("")
	for _, f := range []mockidp.Fault{{Kind: mockidp.SOAPHTML, Endpoint: mockidp.EndpointArtifact},
		{Kind: mockidp.SOAPHTML, App: "none-such"}, {Kind: mockidp.ArtifactEmpty}} {
		_ = idp.Inject(f)
		_, err := sp.QueryAttributes(t.Context(), queried(alice))
		assert.NoError(t, private(err), "%v is in force elsewhere", f)
	}
}

func TestMessageFaultsAreChecked(t *testing.T) {
	idp := start(t, mockidp.Config{})
	for _, f := range []mockidp.Fault{
		{Kind: mockidp.SOAPHTML, Endpoint: mockidp.EndpointQuery}, {Kind: mockidp.SOAPHTML, Endpoint: "x"},
		{Kind: mockidp.LogoutPartial, Endpoint: mockidp.EndpointLogout}, {Kind: mockidp.SOAPFault, Entity: "x"},
		{Kind: mockidp.SOAPHTML, URL: wiki}, {Kind: mockidp.SOAPSlow, For: -1}, {Kind: mockidp.SOAPRedirect, URL: "x"},
		{Kind: mockidp.ClockSkew, Endpoint: mockidp.EndpointLogout},
		{Kind: mockidp.MetadataSlow, Endpoint: mockidp.EndpointLogout},
		{Kind: mockidp.LogoutPartial, App: "none"},
	} {
		err := idp.Inject(f)
		require.Error(t, err, f)
		reason(t, err)
	}
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.Delay, Endpoint: mockidp.EndpointLogout, For: 1}))
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.SOAPRedirect, URL: wiki}))
}

// A fault in force for answers doesn't affect messages by SOAP, and the other way round.
func TestFaultsOfAnswersAndMessagesAreApart(t *testing.T) {
	idp := start(t, mockidp.Config{})
	sp := addArtifactSP(t, idp, wiki, nil)
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.ClockSkew, For: time.Second}))
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.LogoutUnsigned}))
	_, err := sp.resolve(t, sp.ask(t))
	require.NoError(t, err)
	for _, m := range idp.Messages() {
		if m.Binding == crewjam.SOAPBinding {
			assert.Empty(t, m.Faults)
		}
	}
}
