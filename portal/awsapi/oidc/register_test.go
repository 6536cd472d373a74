package oidc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/awsapi/oidc"
)

// Rule 4: a registration is checked, and kept by the client alone.
func TestRegisterClient(t *testing.T) {
	w := newWorld(t, nil)
	c := &cli{w: w, region: virginia}
	good := asCLI(virginia)
	for name, refused := range map[string]struct {
		in        fields
		exception string
	}{
		"no name":            {good.with("clientName", nil), "InvalidClientMetadataException"},
		"a blank name":       {good.with("clientName", "  "), "InvalidClientMetadataException"},
		"a long name":        {good.with("clientName", strings.Repeat("n", 257)), "InvalidClientMetadataException"},
		"a name with a line": {good.with("clientName", "a\nb"), "InvalidClientMetadataException"},
		"a reversed name":    {good.with("clientName", "a\u202eb"), "InvalidClientMetadataException"},
		"an empty letter":    {good.with("clientName", "\u3164"), "InvalidClientMetadataException"},
		"an empty pattern":   {good.with("clientName", "\u2800"), "InvalidClientMetadataException"},
		"a mark alone":       {good.with("clientName", "\ufe0f"), "InvalidClientMetadataException"},
		"marks over lines":   {good.with("clientName", "a"+strings.Repeat("\u0323", 5)), "InvalidClientMetadataException"},
		"a hidden letter":    {good.with("clientName", "a\u200bb"), "InvalidClientMetadataException"},
		"no type":            {good.with("clientType", nil), "InvalidClientMetadataException"},
		"confidential":       {good.with("clientType", "confidential"), "InvalidClientMetadataException"},
		"another grant":      {good.with("grantTypes", []string{"password"}), "UnsupportedGrantTypeException"},
		"another scope":      {good.with("scopes", []string{"codewhisperer:completions"}), "InvalidScopeException"},
		"another Region":     {good.with("issuerUrl", portalOf(frankfurt)), "InvalidRequestException"},
		"another instance":   {good.with("issuerUrl", "https://d-1.awsapps.com/start"), "InvalidRequestException"},
		"a long issuer":      {good.with("issuerUrl", strings.Repeat("/", 513)), "InvalidRequestException"},
		"a number":           {good.with("clientName", 7), "InvalidRequestException"},
	} {
		r := c.post("/client/register", refused.in)
		require.Equal(t, refused.exception, r.Exception, name)
		require.Equal(t, 400, r.Status, name)
	}
	r := c.post("/client/register", good.with("issuerUrl", portalOf(frankfurt)))
	assert.Equal(t, "Couldn't find Identity Center Instance", r.Body["error_description"])
	for name, in := range map[string]fields{
		"the command line": good, "a legacy profile": {"clientName": "botocore-client-1", "clientType": "public"},
		"an address at AWS": good.with("issuerUrl", awsStart+"/start/#/"), "no issuer": good.with("issuerUrl", nil),
		"what is new":      good.with("somethingNew", fields{"a": 1}),
		"a long name":      good.with("clientName", strings.Repeat("n", 256)),
		"another language": good.with("clientName", "コマンド"),
		"marks":            good.with("clientName", "Tie\u0302\u0301ng Vie\u0323\u0302t, สิ้น, नमस्ते"),
	} {
		r := c.must(c.post("/client/register", in))
		issued, until := r.Body["clientIdIssuedAt"].(float64), r.Body["clientSecretExpiresAt"].(float64)
		assert.EqualValues(t, w.clock.Now().Unix(), issued, name)
		assert.EqualValues(t, 90*24*3600, until-issued, name)
		assert.NotContains(t, r.Body, "authorizationEndpoint")
	}
}

func TestRegistrationNamesTheEndpoint(t *testing.T) {
	w := newWorld(t, func(c *oidc.Config) { c.Endpoint = "https://oidc.us-east-1.example" })
	c := &cli{w: w, region: virginia}
	r := c.must(c.post("/client/register", asCLI(virginia)))
	assert.Equal(t, "https://oidc.us-east-1.example/authorize", r.text("authorizationEndpoint"))
	assert.Equal(t, "https://oidc.us-east-1.example/token", r.text("tokenEndpoint"))
}

// A registration is valid for 90 days, in its Region, after a restart and at every node, with its own secret only.
func TestRegistrationIsTheClientsOwn(t *testing.T) {
	w := newWorld(t, nil)
	c, other := w.client(virginia, asDevice()), w.client(virginia, asDevice())
	there := w.client(frankfurt, asDevice())
	ask := fields{"clientId": c.id, "clientSecret": c.secret, "startUrl": portalOf(virginia)}
	c.must(c.post("/device_authorization", ask))
	for name, in := range map[string]fields{
		"another client's secret": ask.with("clientSecret", other.secret),
		"another client's ID":     ask.with("clientId", other.id),
		"of the other Region":     ask.with("clientId", there.id).with("clientSecret", there.secret),
		"the ID as the secret":    ask.with("clientSecret", c.id),
		"the secret as the ID":    ask.with("clientId", c.secret),
		"changed":                 ask.with("clientSecret", c.secret[:len(c.secret)-2]+"AA"),
		"not one":                 ask.with("clientSecret", "secret"),
	} {
		r := c.post("/device_authorization", in)
		require.Equal(t, "InvalidClientException", r.Exception, name)
		require.Equal(t, 401, r.Status)
		r = c.post("/token", in.with("grantType", "refresh_token").with("refreshToken", "aorx"))
		require.Equal(t, "InvalidClientException", r.Exception, name)
	}
	c.refused(c.post("/device_authorization", ask.with("clientSecret", nil)), 400, "InvalidRequestException")
	w.start(virginia, nil)
	c.must(c.post("/device_authorization", ask))
	w.clock.Advance(90*24*time.Hour - time.Minute)
	c.must(c.post("/device_authorization", ask))
	w.clock.Advance(time.Minute)
	c.refused(c.post("/device_authorization", ask), 401, "InvalidClientException")
	w.key = []byte(strings.Repeat("k", 32))
	c = w.client(virginia, asDevice())
	w.key = []byte(strings.Repeat("l", 32))
	w.start(virginia, nil)
	c.refused(c.post("/device_authorization", ask.with("clientId", c.id).with("clientSecret", c.secret)), 401,
		"InvalidClientException")
}

func TestGrantsOfARegistration(t *testing.T) {
	w := newWorld(t, nil)
	pkce, device := w.client(virginia, asCLI(virginia)), w.client(virginia, asDevice())
	b := w.browser(virginia, "alice@example.com")
	pkce.refused(pkce.post("/device_authorization", fields{"clientId": pkce.id, "clientSecret": pkce.secret,
		"startUrl": portalOf(virginia)}), 400, "UnauthorizedClientException")
	pkce.refused(pkce.post("/token", pkce.codeFields("x").with("grantType",
		"urn:ietf:params:oauth:grant-type:device_code")), 400, "UnauthorizedClientException")
	device.refused(device.post("/token", device.codeFields("x")), 400, "UnauthorizedClientException")
	for _, grant := range []any{"password", "", nil, "client_credentials"} {
		device.refused(device.post("/token", device.codeFields("x").with("grantType", grant)), 400,
			"UnsupportedGrantTypeException")
	}
	noRefresh := w.client(virginia, asCLI(virginia).with("grantTypes", []string{"authorization_code"}))
	assert.NotContains(t, noRefresh.login(b).Body, "refreshToken")
	assert.Contains(t, pkce.login(b).Body, "refreshToken")
}

// Rule 16: a client that makes too many requests is refused, and other clients are not.
func TestRequestsAreBoundedByClient(t *testing.T) {
	w := newWorld(t, nil)
	c, device := w.client(virginia, asCLI(virginia)), w.client(virginia, asDevice())
	b := w.browser(virginia, "alice@example.com")
	for path, in := range map[string]fields{
		"/client/register":      asCLI(virginia),
		"/device_authorization": {"clientId": device.id, "clientSecret": device.secret, "startUrl": portalOf(virginia)},
		"/token":                {"clientId": c.id, "clientSecret": c.secret, "grantType": "refresh_token"},
	} {
		c.addr = "198.51.100.1:1"
		refused := 0
		for range 7000 {
			if c.post(path, in).Exception == "SlowDownException" {
				refused++
				break
			}
		}
		assert.Equal(t, 1, refused, path)
		c.addr = "198.51.100.2:1"
		assert.NotEqual(t, "SlowDownException", c.post(path, in).Exception, path)
		w.clock.Advance(20 * time.Minute)
		c.addr = "198.51.100.1:1"
		assert.NotEqual(t, "SlowDownException", c.post(path, in).Exception, path)
	}
	var last int
	for range 300 {
		if p := open(t, b, apiOf(virginia)+"/authorize"); p.Status == 429 {
			last = p.Status
			assert.NotEmpty(t, p.Header.Get("Retry-After"))
			break
		}
	}
	assert.Equal(t, 429, last)
	w.clock.Advance(3 * time.Minute)
	c.login(w.browser(virginia, "alice@example.com"))
}

func TestConfig(t *testing.T) {
	w := newWorld(t, nil)
	good := oidc.Config{Portal: w.portals[virginia], Store: w.stores[virginia], Instance: "i", Sealer: sealer(t)}
	_, err := oidc.New(good)
	require.NoError(t, err)
	for name, edit := range map[string]func(*oidc.Config){
		"no portal": func(c *oidc.Config) { c.Portal = nil }, "no store": func(c *oidc.Config) { c.Store = nil },
		"no sealer": func(c *oidc.Config) { c.Sealer = nil }, "no instance": func(c *oidc.Config) { c.Instance = "" },
		"short tokens":  func(c *oidc.Config) { c.TokenLifetime = 19 * time.Minute },
		"an endpoint":   func(c *oidc.Config) { c.Endpoint = "https://oidc.example/path" },
		"a start URL":   func(c *oidc.Config) { c.StartURLs = []string{"not a URL"} },
		"many of these": func(c *oidc.Config) { c.StartURLs = make([]string, 65) },
	} {
		c := good
		edit(&c)
		_, err := oidc.New(c)
		var e *oidc.Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, oidc.ReasonConfig, e.Reason, name)
	}
}
