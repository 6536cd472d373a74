package region_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/tasks"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// Rules 22, 56, 63 and 65: each row of the table of tasks is tried in the primary and in an additional Region, by the
// portals' pages, by SCIM and by updates. What is allowed arrives in both; a refusal names the Region to go to.
func TestRule65EachTaskIsTriedInBothRegions(t *testing.T) {
	w := newWorld(t, corp.Virginia, corp.Frankfurt)
	require.Eventually(t, w.linked, hang, time.Millisecond)
	site := func(p corp.Place) tasks.Site {
		return tasks.Site{Name: p.Name, Origin: w.origins[p.Name], View: w.regions[p.Name].View()}
	}
	tried := &tasks.World{
		Sites: [2]tasks.Site{site(corp.Virginia), site(corp.Frankfurt)}, IdP: w.idp.URL,
		Browser: func() *testkit.Browser { return testkit.NewBrowser(t.Context()) },
		Until:   func(try func() error) error { return check.Until(t.Context(), hang, try) },
	}
	line, held := check.Take(tried, func(w *tasks.World) string {
		allowed, refused := w.Table()
		assert.Equal(t, 22, allowed)
		assert.Equal(t, 18, refused)
		return ""
	})
	require.True(t, held, line)
}
