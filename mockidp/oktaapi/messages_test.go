package oktaapi_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The viewer's output is bounded: an unauthenticated client's request of a few
// hundred bytes would otherwise take 30 MB.
func TestDeepMessagesAreNotIndented(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoRegions())
	deep := strings.Repeat("<a>", 990) + strings.Repeat("<b/>", 14000) + strings.Repeat("</a>", 990)
	b := newBrowser(t, a.idp)
	require.Less(t, len(redirect(a.idp, deep, "")), 1000)
	require.Equal(t, 400, b.get(redirect(a.idp, deep, "")).Status)
	require.Equal(t, 200, b.get(redirect(a.idp, request(), "")).Status)
	list := a.ok(200, "GET", "/control/messages", nil)["messages"].([]any)
	assert.Equal(t, deep, dig(list[0], "xml"), "unchanged")
	assert.Contains(t, dig(list[1], "xml"), "\n  <saml:Issuer>")

	admin := newBrowser(t, a.idp)
	admin.post(a.url+"/login", url.Values{"token": {a.token}})
	seen := admin.get(a.url + "/messages/" + strconv.Itoa(int(dig(list[0], "id").(float64))))
	seen.contains(t, "Line by line")
	assert.Less(t, len(seen.Body), 1<<20)
}

// A filter that no message can match is refused.
func TestMessageFiltersAreChecked(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoRegions())
	for _, query := range []string{"answered=yes", "refused=1", "direction=in", "after=first"} {
		a.refused(400, "E0000001", "GET", "/control/messages?"+query, nil)
		a.refused(400, "E0000001", "GET", "/control/messages/wait?"+query, nil)
	}
	a.ok(200, "GET", "/control/messages?answered=false&refused=false&direction=received&after=0", nil)
}
