package examples_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/mockidp/scimpush"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/failover"
	"github.com/meridian-saml/meridian/portal/replica"
	"github.com/meridian-saml/meridian/portal/scim"
	"github.com/meridian-saml/meridian/saml"
)

// refusesURL has every place that refuses a URL with user information.
func refusesURL(t *testing.T) map[string]func(raw string) error {
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	trusted, err := saml.ParseIdPMetadata(idp.Metadata(""))
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{EntityID: "sp", ACS: []saml.Endpoint{{URL: "https://sp.example/acs"}}, IdP: trusted})
	require.NoError(t, err)
	consumer := func(change func(*acs.Config)) error {
		c := acs.Config{SP: sp, ACS: "https://sp.example/acs", Store: acs.NewMemoryStore(acs.MemoryConfig{}), OnLogin: func(http.ResponseWriter, *http.Request, *acs.Login) {}}
		change(&c)
		_, err := acs.New(c)
		return err
	}
	instance := func(change func(*center.Data)) error {
		d := center.Data{Regions: []center.Region{{Name: "us-east-1"}}}
		change(&d)
		_, err := center.New(d)
		return err
	}
	inst, err := center.New(center.Data{Regions: []center.Region{{Name: "us-east-1"}}})
	require.NoError(t, err)
	view, err := inst.In("us-east-1")
	require.NoError(t, err)
	redirector := func(r failover.Region) error {
		r.Name = "us-east-1"
		_, err := failover.New(failover.Config{Regions: []failover.Region{r}})
		return err
	}
	node := func(c replica.Config) error {
		c.Region, c.InsecurePlaintext = "us-east-1", true
		n, err := replica.Open(t.Context(), c)
		if err == nil {
			n.Close()
		}
		return err
	}
	region, err := replica.Open(t.Context(), replica.Config{Region: "us-east-1", InsecurePlaintext: true,
		Dir: t.TempDir(), Secret: strings.Repeat("x", 32), Seed: inst.Snapshot().Data()})
	require.NoError(t, err)
	t.Cleanup(region.Close)
	over, cancel := context.WithCancel(t.Context())
	cancel() // nothing is sent
	attacker, err := run.NewIdP()
	require.NoError(t, err)
	target := func(change func(*run.Target)) error {
		one := run.Target{Login: "http://localhost:1/", ACS: "http://localhost:1/", Probe: "http://localhost:1/", EntityID: "sp", Identity: regexp.MustCompile("x"), IdP: attacker}
		change(&one)
		_, err := run.Run(over, one)
		return err
	}
	return map[string]func(raw string) error{
		"saml.Config.ACS": func(raw string) error {
			_, err := saml.New(saml.Config{EntityID: "sp", ACS: []saml.Endpoint{{URL: raw}}, IdP: trusted})
			return err
		},
		"saml.RequestOptions.ACS": func(raw string) error {
			_, err := sp.NewAuthnRequest(saml.RequestOptions{ACS: raw})
			return err
		},
		"saml.VerifyOptions.ACS": func(raw string) error {
			_, err := sp.Verify([]byte("PHgvPg=="), saml.VerifyOptions{ACS: raw, Unsolicited: true})
			return err
		},
		"saml.ParseIdPMetadata": func(raw string) error {
			with := strings.ReplaceAll(string(idp.Metadata("")), idp.URL, strings.ReplaceAll(raw, "&", "&amp;"))
			_, err := saml.ParseIdPMetadata([]byte(with))
			return err
		},
		"acs.Config.ACS":       func(raw string) error { return consumer(func(c *acs.Config) { c.ACS = raw }) },
		"acs.Config.LoginPath": func(raw string) error { return consumer(func(c *acs.Config) { c.LoginPath = raw }) },
		"acs.Config.RelayStateOrigins": func(raw string) error {
			return consumer(func(c *acs.Config) { c.RelayStateOrigins = []string{raw} })
		},
		"center.Region.PortalURLs": func(raw string) error {
			return instance(func(d *center.Data) { d.Regions[0].PortalURLs = []string{raw} })
		},
		"center.Region.ACSURLs": func(raw string) error {
			return instance(func(d *center.Data) { d.Regions[0].ACSURLs = []string{raw} })
		},
		"center.Application.URL": func(raw string) error {
			return instance(func(d *center.Data) {
				d.Applications = []center.Application{{ID: "a", Name: "A", URL: raw, Region: "us-east-1"}}
			})
		},
		"scim.Config.BaseURL": func(raw string) error {
			_, err := scim.New(scim.Config{View: view, BaseURL: raw, Tokens: []string{strings.Repeat("x", 32)}})
			return err
		},
		"failover.Region.URL":    func(raw string) error { return redirector(failover.Region{URL: raw}) },
		"failover.Region.Health": func(raw string) error { return redirector(failover.Region{URL: "https://a.example", Health: raw}) },
		"replica.Config.URL":     func(raw string) error { return node(replica.Config{URL: raw, Dir: "x"}) },
		"replica.Config.URL down": func(raw string) error {
			return node(replica.Config{URL: raw, Options: []nats.Option{nats.SetCustomDialer(down{})}})
		},
		"replica.Peer.URL": func(raw string) error {
			return region.AddPeer(t.Context(), "eu-central-1",
				replica.Peer{URL: raw, Options: []nats.Option{nats.SetCustomDialer(down{})}})
		},
		"mockidp.Config.BaseURL": func(raw string) (err error) {
			defer func() { err, _ = recover().(error) }() // misuse of it is a panic
			mockidp.NewUnstarted(mockidp.Config{BaseURL: raw})
			return nil
		},
		"mockidp.App.ACS": func(raw string) error {
			_, err := idp.AddApp(mockidp.App{Label: "A", Audience: "a", ACS: []mockidp.ACS{{URL: raw}}})
			return err
		},
		"scimpush.Config.BaseURL": func(raw string) error {
			_, err := scimpush.New(idp, scimpush.Config{BaseURL: raw, Token: "x"})
			return err
		},
		"run.Target.ACS":   func(raw string) error { return target(func(one *run.Target) { one.ACS = raw }) },
		"run.Target.Probe": func(raw string) error { return target(func(one *run.Target) { one.Probe = raw }) },
	}
}

// down is a network without servers.
type down struct{}

func (down) Dial(string, string) (net.Conn, error) { return nil, errors.New("the network is down") }

// No error repeats the user information of a URL that was refused, in whatever
// way the URL is wrong otherwise.
func TestARefusedURLIsNotRepeatedWithItsPassword(t *testing.T) {
	places := refusesURL(t)
	for _, raw := range []string{
		"https://admin:hunter2@host.invalid/x",
		"https://hunter2@host.invalid/x", // a token
		"nats://admin:hunter2@127.0.0.1:1",
		"nats://hunter2@127.0.0.1:1",
		"nats://127.0.0.1:1,nats://admin:hunter2@127.0.0.1:1,nats://10.0.0.1:1",
		"nats://admin:12,hunter2@127.0.0.1:1",
		"nats://admin:hunter2,12@127.0.0.1:1",
		"admin:hunter2@host.invalid",
		"ftp://admin:hunter2@host.invalid/",
		"http://admin:hunter2@host.invalid/",
		"https:admin:hunter2@host.invalid",
		"https://admin:hunter2/3@host.invalid/",
		"https://admin:1/hunter2@host.invalid/",
		"https://admin:1?hunter2@host.invalid/",
		"https://admin:1#hunter2@host.invalid/",
		"https://admin:hunter2@1@host.invalid/",
		"https://admin:hunter2@[::1/",
		"https://admin:hunter2%40host.invalid/",
		"https://admin:hunter2",
		"https://admin:hunter2@host.invalid/%zz",
		"https://admin:hunter2@host.invalid/\n",
		" https://admin:hunter2@host.invalid/",
	} {
		for place, refuse := range places {
			if err := refuse(raw); err != nil {
				assert.NotContains(t, err.Error(), "hunter2", "%s: %q", place, raw)
				if strings.Contains(raw, "://") { // else it is the scheme
					assert.NotContains(t, err.Error(), "admin", "%s: %q", place, raw)
				}
			}
		}
	}
	// The attack tool accepts such URLs, and metadata's other addresses stay usable.
	for place, refuse := range places {
		if !strings.HasPrefix(place, "run.") && place != "saml.ParseIdPMetadata" {
			assert.Error(t, refuse("https://admin:hunter2@host.invalid/x"), place)
		}
	}
}

// Packages that import nothing of ours have a copy each of the code that hides user
// information. The copies must stay equal.
func TestRefusedURLsAreShownAlike(t *testing.T) {
	var first string
	var n int
	for _, pattern := range []string{"../*/refusedurl.go", "../*/*/refusedurl.go", "../*/*/*/refusedurl.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			_, rest, _ := strings.Cut(strings.ReplaceAll(string(raw), "WithoutUser", "withoutUser"), "\n")
			if n++; n == 1 {
				first = rest
			}
			assert.Equal(t, first, rest, file)
		}
	}
	require.Equal(t, 5, n)
}

// Packages that import nothing of ours count clients as acs does, with a copy of its code. The copies must stay equal.
func TestNetworksAreCountedAlike(t *testing.T) {
	var copies []string
	for _, dir := range []string{"../acs", "../portal/audit"} {
		raw, err := os.ReadFile(filepath.Join(dir, "networks.go"))
		require.NoError(t, err)
		_, rest, _ := strings.Cut(string(raw), "\n")
		copies = append(copies, rest)
	}
	require.Equal(t, copies[0], copies[1])
}
