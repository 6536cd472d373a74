package residency_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/residency"
)

func report() residency.Report {
	return residency.New([]residency.Place{
		{Kind: residency.Users, Region: "us-east-1", Where: "stream KV_config_us-east-1", Key: "mrk-1",
			Kept: "until removed"},
		{Kind: residency.SignIns, Region: "us-east-1", Where: "memory", Kept: "15m"},
	}, []residency.Place{
		{Kind: residency.Users, Region: "eu-central-1", From: "us-east-1", Where: "stream KV_config_us-east-1", Key: "mrk-1",
			Kept: "until removed"},
	})
}

func Example() {
	_ = report().WriteText(os.Stdout)
	// Output:
	// DATA      REGION        FROM       WHERE                       SEALED UNDER  KEPT
	// sign-ins  us-east-1     us-east-1  memory                      not sealed    15m
	// users     eu-central-1  us-east-1  stream KV_config_us-east-1  mrk-1         until removed
	// users     us-east-1     us-east-1  stream KV_config_us-east-1  mrk-1         until removed
}

func TestAPageOfTextOrJSON(t *testing.T) {
	get := func(accept string, err error) *httptest.ResponseRecorder {
		w, req := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/residency", nil)
		req.Header.Set("Accept", accept)
		residency.Handler(func(*http.Request) (residency.Report, error) { return report(), err }).ServeHTTP(w, req)
		return w
	}
	var got residency.Report
	require.NoError(t, json.Unmarshal(get("application/json", nil).Body.Bytes(), &got))
	assert.Equal(t, report(), got)
	assert.Contains(t, get("text/html", nil).Body.String(), "users     eu-central-1")
	w := get("", errors.New("alice@example.com"))
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.NotContains(t, w.Body.String(), "alice")
	assert.Equal(t, []string{"eu-central-1", "us-east-1"}, got.Regions(residency.Users))
	assert.Equal(t, []string{"us-east-1"}, got.Regions(residency.SignIns))
	assert.Len(t, got.Regions(""), 2)
}
