package mockidp_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// An app's configuration is refused, or it is stable: written back it is unchanged, its metadata can be parsed, and
// its answers go to its list, with the configured values and no markup from them.
func FuzzApp(f *testing.F) {
	f.Add("Payroll", "https://sp.example", "https://sp.example/acs", "https://sp.example/acs2", "${user.email}", "mail",
		"${user.firstName} x", "Eng", uint8(0), uint8(0), uint8(0))
	f.Add("Entra", "urn:x", "https://sp.example/acs", "", "", "a", "b", "", uint8(1), uint8(1), uint8(4))
	f.Add("<b>&", "\"'", "http://[::1]:80/?a=b&c=d", "http://sp.localhost", "${user.login}", "<a>", "]]>", ".*", uint8(0),
		uint8(2), uint8(3))
	f.Add("x", "", "javascript:alert(1)", "//sp.example", "${org.name}", "", "\x00", "(", uint8(0), uint8(7), uint8(4))
	idp := started(f, twoRegions())
	f.Fuzz(func(t *testing.T, label, audience, first, second, template, name, value, group string, profile, sign,
		filter uint8) {
		idp.Reset()
		app := mockidp.App{ID: "fuzzed", Label: label, Audience: audience, Profile: mockidp.Profile(profile % 3),
			Sign: mockidp.Signing(sign % 4), NameIDTemplate: template,
			ACS: []mockidp.ACS{{URL: first}}, Users: []string{alice},
			Attributes:     []mockidp.Attribute{{Name: name, Values: []string{value}}},
			GroupAttribute: &mockidp.GroupAttribute{Filter: mockidp.Filter(filter % 6), Value: group}}
		if second != "" {
			app.ACS = append(app.ACS, mockidp.ACS{URL: second})
		}
		before := idp.Snapshot()
		made, err := idp.AddApp(app)
		if err != nil {
			var e *mockidp.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, before, idp.Snapshot(), "a refused app has no effect")
			return
		}
		updateApp(t, idp, "fuzzed", func(a *mockidp.App) { require.Equal(t, made, *a) })
		again, _ := idp.App("fuzzed")
		require.Equal(t, made, again)
		doc := etree.NewDocument()
		require.NoError(t, doc.ReadFromBytes([]byte(strings.TrimPrefix(string(idp.Metadata("fuzzed")), mark))))
		for _, x := range made.ACS {
			u, err := url.Parse(x.URL)
			require.NoError(t, err)
			require.Contains(t, []string{"http", "https"}, u.Scheme)
		}
		form, err := idp.IdPInitiated("fuzzed", alice, "")
		if err != nil {
			require.Equal(t, mockidp.ReasonNameID, reason(t, err), "the user has no value for the template")
			return
		}
		require.Equal(t, made.DefaultACS().URL, form.URL)
		root := decode(t, form)
		require.Len(t, root.FindElements("//Assertion"), 1)
		require.Equal(t, made.Audience, text(t, root, "//Audience"))
		if sent := root.FindElement("//Attribute/AttributeValue"); sent != nil && !strings.Contains(value,
			"${") && sent.Parent().SelectAttrValue("Name", "") == name && name != "groups" {
			require.Empty(t, sent.ChildElements(), "a value is text")
			require.Equal(t, strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(value),
				strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(sent.Text()))
		}
	})
}

// Metadata of a service provider is accepted as a whole, or refused without a change. The app then answers by it.
func FuzzRegisterSP(f *testing.F) {
	f.Add([]byte(spMetadata))
	f.Add([]byte(strings.ReplaceAll(spMetadata, "isDefault=\"true\"", "")))
	f.Add([]byte(strings.ReplaceAll(spMetadata, `index="4"`, `index="65536"`)))
	f.Add([]byte(strings.ReplaceAll(spMetadata, virginia, "javascript:alert(1)")))
	f.Add([]byte("<EntityDescriptor/>"))
	f.Add([]byte(mark))
	idp := started(f, twoRegions())
	f.Fuzz(func(t *testing.T, metadata []byte) {
		idp.Reset()
		before := idp.Snapshot()
		if err := idp.RegisterSP("idc", metadata); err != nil {
			require.Contains(t, []mockidp.Reason{mockidp.ReasonMetadata, mockidp.ReasonTooLarge, mockidp.ReasonConfig},
				reason(t, err))
			require.Equal(t, before, idp.Snapshot())
			return
		}
		app, _ := idp.App("idc")
		require.NotEmpty(t, app.ACS)
		form, err := idp.IdPInitiated("idc", alice, "")
		require.NoError(t, err)
		require.Equal(t, app.ACS[0].URL, form.URL)
		require.Equal(t, app.Audience, text(t, decode(t, form), "//Audience"))
	})
}

// With any clock, an answer's times are in order and can be parsed.
func FuzzClock(f *testing.F) {
	f.Add(int64(0), int64(0))
	f.Add(int64(time.Hour), int64(-time.Hour))
	f.Add(int64(24*365*time.Hour), int64(90*time.Minute))
	conf := twoRegions()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	conf.Now = func() time.Time { return at }
	idp := started(f, conf)
	f.Fuzz(func(t *testing.T, offset, skew int64) {
		const most = int64(10 * 365 * 24 * time.Hour)
		idp.Reset()
		idp.Advance(time.Duration(offset % most))
		require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.ClockSkew, For: time.Duration(skew % most)}))
		form, err := idp.IdPInitiated("idc", alice, "")
		require.NoError(t, err)
		root := decode(t, form)
		moment := func(path, name string) time.Time {
			return must(time.Parse("2006-01-02T15:04:05.000Z", attrOf(t, root, path, name)))
		}
		issued := moment("//Assertion", "IssueInstant")
		want := at.Add(time.Duration(offset%most) + time.Duration(skew%most)).Truncate(time.Millisecond)
		require.WithinDuration(t, want, issued, time.Millisecond)
		require.False(t, issued.Before(moment("//Conditions", "NotBefore")))
		require.True(t, issued.Before(moment("//Conditions", "NotOnOrAfter")))
		require.True(t, issued.Before(moment("//SubjectConfirmationData", "NotOnOrAfter")))
		raw, err := base64.StdEncoding.DecodeString(form.SAMLResponse)
		require.NoError(t, err)
		require.Equal(t, idp.Messages()[0].XML, raw)
	})
}
