package portal_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/saml"
)

func attribute(key string, values ...string) saml.Attribute {
	a := saml.Attribute{Name: portal.AccessControlAttribute + key}
	for _, v := range values {
		a.Values = append(a.Values, saml.AttributeValue{Text: v})
	}
	return a
}

func TestAttributesForAccessControl(t *testing.T) {
	tags, err := portal.TagsOf([]saml.Attribute{
		{Name: "groups", Values: []saml.AttributeValue{{Text: "a"}, {Text: "b"}}}, attribute("Team", "Blue"),
		attribute("Kosten stelle/1=ä", ""), attribute(strings.Repeat("é", 128), strings.Repeat("x", 460)),
	})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"Team": "Blue", "Kosten stelle/1=ä": "", strings.Repeat("é", 128): strings.Repeat("x", 460),
	}, tags)
	tags, err = portal.TagsOf([]saml.Attribute{{Name: "AccessControl:Team", Values: []saml.AttributeValue{{Text: "a"}}}})
	require.NoError(t, err)
	assert.Nil(t, tags)

	otherFormat := attribute("Team", "Blue")
	otherFormat.NameFormat = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
	structured, none := attribute("Team", ""), attribute("Team", "")
	structured.Values[0].Elements = []saml.Element{{Name: "NameID"}}
	none.Values[0].Nil = true
	var many, long []saml.Attribute
	for i := range 51 {
		many = append(many, attribute(fmt.Sprint("k", i), "v"))
		long = append(long, attribute(fmt.Sprint("k", i), strings.Repeat("x", 200)))
	}
	_, err = portal.TagsOf(many[:50])
	require.NoError(t, err)
	for name, of := range map[string][]saml.Attribute{
		"several values":     {attribute("Team", "Blue", "Red")},
		"no value":           {attribute("Team")},
		"the same key twice": {attribute("Team", "Blue"), otherFormat},
		"XML":                {structured},
		"nil":                {none},
		"no key":             {attribute("", "Blue")},
		"a long key":         {attribute(strings.Repeat("é", 129), "Blue")},
		"a key with a quote": {attribute(`a"b`, "Blue")},
		"a key with a line":  {attribute("a\nb", "Blue")},
		"a long value":       {attribute("Team", strings.Repeat("x", 461))},
		"many":               many,
		"a lot in all":       long[:50],
	} {
		_, err := portal.TagsOf(of)
		requireReason(t, portal.ReasonAccessControl, err)
		assert.NotEmpty(t, err.Error(), name)
	}
}

// The attributes reach the session, the other Region's session and a program's; what is no such attribute doesn't.
func TestAccessControlReachesEverySession(t *testing.T) {
	w, s := newShared(t, func(c *portal.Config) { c.AccessControl = true })
	require.NoError(t, w.idp.UpdateApp("", func(a *mockidp.App) error {
		a.Attributes = append(a.Attributes, mockidp.Attribute{
			Name: portal.AccessControlAttribute + "Team", Values: []string{"${user.team}"},
		})
		return nil
	}))
	setTeam := func(values []string) {
		require.NoError(t, w.idp.UpdateUser("alice@example.com", func(u *mockidp.User) error {
			u.Attributes = map[string][]string{"team": values}
			return nil
		}))
	}
	setTeam([]string{"Blue"})
	_, b, _ := w.letIn()
	requirePage(t, b.get(fromVirginia), 200, "/", "Alice Adams")
	list, err := s.sessions.List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	require.Len(t, list, 3)
	for _, session := range list {
		assert.Equal(t, map[string]string{"Team": "Blue"}, session.Tags, session.Region)
	}

	setTeam([]string{strings.Repeat("x", 461)})
	p := w.signIn(w.browser(), "https://"+virginia+"/", "alice@example.com")
	assert.Equal(t, http.StatusForbidden, p.StatusCode)
	assert.Equal(t, portal.ReasonAccessControl, w.lastSignIn().Reason)
}
