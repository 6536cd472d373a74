package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/saml"
)

const base = "http://sp.localhost:8730"

// newProgram is the program without its listeners.
func newProgram(t *testing.T, out *bytes.Buffer) (*mockidp.Server, observed, http.Handler) {
	t.Helper()
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	described, err := saml.ParseIdPMetadata(idp.Metadata(""))
	require.NoError(t, err)
	o, stop, err := newObserved(out, map[string]string{described.EntityID(): idpName})
	require.NoError(t, err)
	t.Cleanup(stop)
	handler, end, err := newService(base, idp, o.telemetry)
	require.NoError(t, err)
	t.Cleanup(end)
	return idp, o, handler
}

func scrape(t *testing.T, o observed) string {
	t.Helper()
	rec := httptest.NewRecorder()
	o.metrics.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, rec.Code)
	return rec.Body.String()
}

func TestScrapeAndTrace(t *testing.T) {
	var out bytes.Buffer
	idp, o, handler := newProgram(t, &out)
	page, err := testkit.SignInHandler(idp, handler, base+"/login", mockidp.DefaultLogin)
	require.NoError(t, err)
	require.Contains(t, page.Body, "Signed in.")
	form := url.Values{"SAMLResponse": {"junk"}}.Encode()
	junk := httptest.NewRequest(http.MethodPost, base+"/acs", strings.NewReader(form))
	junk.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	handler.ServeHTTP(httptest.NewRecorder(), junk)

	got := scrape(t, o)
	for _, line := range []string{
		`meridian_saml_responses_total{cloud_region="eu-central-1",saml_flow="sp-initiated",saml_idp="mock"} 1`,
		`meridian_saml_responses_total{cloud_region="eu-central-1",error_type="XML",saml_idp="_other"} 1`,
		`meridian_metadata_refreshes_total{cloud_region="eu-central-1",metadata_source="mock"} 1`,
		`meridian_store_operation_duration_seconds_count{cloud_region="eu-central-1",store_operation="take"} 1`,
	} {
		require.Contains(t, got, line+"\n")
	}
	require.NotContains(t, got+out.String(), mockidp.DefaultLogin)

	var names []string
	for dec := json.NewDecoder(&out); dec.More(); {
		var span struct{ Name string }
		require.NoError(t, dec.Decode(&span))
		names = append(names, span.Name)
	}
	require.Equal(t, []string{
		"saml.verify", "store.take", "store.add", "saml.consume", "saml.verify", "saml.consume",
	}, names)
}

// The program serves both at addresses of their own, and ends with its context.
func TestProgram(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		_, err := run(ctx, []string{"-listen", "127.0.0.1:0", "-metrics", "127.0.0.1:0"}, in)
		_ = in.Close()
		ended <- err
	}()
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	login := strings.Fields(lines.Text())[1]
	require.True(t, lines.Scan())
	metrics := strings.Fields(lines.Text())[1]
	go func() { // the spans
		for lines.Scan() {
		}
	}()
	page, err := testkit.NewBrowser(ctx).SignIn(login, mockidp.DefaultLogin, mockidp.DefaultPassword)
	require.NoError(t, err)
	require.Contains(t, page.Body, "Signed in.")
	page, err = testkit.NewBrowser(ctx).Open(metrics)
	require.NoError(t, err)
	require.Contains(t, page.Body, `saml_flow="sp-initiated",saml_idp="mock"} 1`)
	page, err = testkit.NewBrowser(ctx).Open(strings.Replace(login, "/login", "/metrics", 1))
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, page.Status, "metrics are not for users")
	cancel()
	require.NoError(t, <-ended)

	_, err = run(t.Context(), []string{"more"}, io.Discard)
	require.ErrorContains(t, err, `"more"`)
}

var (
	metricName   = regexp.MustCompile(`meridian_[a-z_]+`)
	scrapedName  = regexp.MustCompile(`(?m)^(meridian_[a-z_]+)[{ ]`)
	observedName = regexp.MustCompile(`Observed\w+ += "(\w+)"`)
	pageRow      = regexp.MustCompile("(?m)^\\| `(meridian[a-z_.]+)` \\|")
	pageHelp     = regexp.MustCompile(`(?m)^# HELP (meridian_[a-z_]+) `)
)

// everything observes one of each, so that every metric is in the scrape.
func everything(t *testing.T) string {
	t.Helper()
	_, o, _ := newProgram(t, new(bytes.Buffer))
	ctx, end := o.telemetry.ObserveResponse(t.Context())
	o.telemetry.ObserveVerification(ctx)(nil)
	end(acs.Verdict{Accepted: true})
	o.telemetry.ObserveLogout(t.Context(), acs.Verdict{Accepted: true})
	o.telemetry.ObserveSignIn(t.Context(), "", true, "")
	o.telemetry.ObserveMetadata("mock", time.Hour, time.Hour, 1, "")
	_, _ = o.telemetry.Store(acs.NewMemoryStore(acs.MemoryConfig{})).Take(t.Context(), "x")
	source, err := os.ReadFile("../../portal/replica/observer.go")
	require.NoError(t, err)
	names := observedName.FindAllStringSubmatch(string(source), -1)
	require.Greater(t, len(names), 15)
	for _, name := range names {
		o.telemetry.Observe(name[1], region, 1)
	}
	for _, name := range []string{
		audit.ObservedEvents, audit.ObservedFailed, audit.ObservedRefusals, audit.ObservedRemoved, audit.ObservedLost,
		audit.ObservedBytes, audit.ObservedUnexportedBytes, audit.ObservedAlert,
	} {
		o.telemetry.ObserveAudit(name, "access", 1)
	}
	return scrape(t, o)
}

// A rule about a metric that doesn't exist would never fire.
func TestAlertsAreAboutMetrics(t *testing.T) {
	scraped := map[string]bool{}
	for _, m := range scrapedName.FindAllStringSubmatch(everything(t), -1) {
		scraped[m[1]] = true
	}
	rules, err := os.ReadFile("../../acs/telemetry/alerts.yaml")
	require.NoError(t, err)
	used := metricName.FindAllString(string(rules), -1)
	require.Greater(t, len(used), 20)
	for _, name := range used {
		require.True(t, scraped[name], "no metric is called %s", name)
	}
}

// TELEMETRY.md lists each metric, and each rule.
func TestPageListsMetricsAndAlerts(t *testing.T) {
	page, err := os.ReadFile("../../acs/telemetry/TELEMETRY.md")
	require.NoError(t, err)
	listed := map[string]bool{}
	for _, row := range pageRow.FindAllStringSubmatch(string(page), -1) {
		listed[strings.ReplaceAll(row[1], ".", "_")] = true
	}
	scraped := pageHelp.FindAllStringSubmatch(everything(t), -1)
	require.Greater(t, len(scraped), 25)
	known := map[string]bool{}
	for _, m := range scraped {
		name := strings.TrimSuffix(strings.TrimSuffix(m[1], "_total"), "_seconds")
		known[name] = true
		require.True(t, listed[name], "%s is not in the table", name)
	}
	for name := range listed {
		require.True(t, known[name], "%s is in the table only", name)
	}
	rules, err := os.ReadFile("../../acs/telemetry/alerts.yaml")
	require.NoError(t, err)
	alerts := regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(string(rules), -1)
	require.NotEmpty(t, alerts)
	for _, alert := range alerts {
		require.Contains(t, string(page), "| `"+alert[1]+"` |")
	}
}

// Prometheus' own tool checks the rules, and plays series to them.
func TestAlertsInPromtool(t *testing.T) {
	promtool := testkit.RequireProgram(t, "peers", "promtool")
	for _, args := range [][]string{
		{"check", "rules", "../../acs/telemetry/alerts.yaml"},
		{"test", "rules", "../../acs/telemetry/testdata/alerts_test.yaml"},
	} {
		out, err := exec.Command(promtool, args...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}
