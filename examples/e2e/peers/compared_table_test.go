package peers_test

import (
	"crypto"
	"crypto/rsa"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	crewjam "github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/saml"
)

// TestComparedLibraries runs every cell of the table in acs/COMPARED.md about hostile and
// unusual responses. A cell has the result, and may add a remark in parentheses. The
// head of a column names the version that was run, which is the one in go.mod.
func TestComparedLibraries(t *testing.T) {
	head, cells := comparedTable(t)
	libs := []tableLib{meridianLib(), crewjamLib(), gosaml2Lib()}
	require.Equal(t, []string{
		"", "Meridian", "crewjam/saml " + moduleVersion(t, crewjamPath)[1:],
		"gosaml2 " + moduleVersion(t, gosaml2Path)[1:],
	}, head)
	rows := tableRows()
	require.Len(t, cells, len(rows), "a row of the page is not run, or the other way round")
	for i, lib := range libs {
		t.Run(lib.name, func(t *testing.T) {
			outcomes := attackForTable(t, lib, rows)
			for _, row := range rows {
				t.Run(row.name, func(t *testing.T) {
					written, ok := cells[row.name]
					require.True(t, ok, "no such row on the page")
					got := ""
					if row.probe != nil {
						got = row.probe(t, lib)
					} else {
						got = row.attacked(outcomes[row.unsolicited])
					}
					if lib.caller != nil && slices.Contains(lib.caller, row.name) {
						got = "left to the caller"
					}
					assert.Equal(t, remark.ReplaceAllString(written[i], ""), got)
				})
			}
		})
	}
}

const (
	crewjamPath = "github.com/crewjam/saml"
	gosaml2Path = "github.com/russellhaering/gosaml2"
)

// remark matches the remark of a cell.
var remark = regexp.MustCompile(` \(.*\)$`)

// tableRow is a row of that table, with the probe or the attacks that
// produce it.
type tableRow struct {
	name  string
	probe func(*testing.T, tableLib) string
	// attacks are IDs, rows or families. With unsolicited the service provider
	// also accepts unsolicited responses.
	attacks     []string
	unsolicited bool
	// With forged only accepted forgeries count, because some documents are
	// accepted for the part that the identity provider signed.
	forged bool
}

// covers reports whether an attack belongs to the row.
func (r tableRow) covers(id string) bool {
	return slices.ContainsFunc(r.attacks, func(of string) bool {
		return id == of || strings.HasPrefix(id, of+"/") || len(of) == 1 && strings.HasPrefix(id, of)
	})
}

// attacked returns "refused" if all attacks of the row were refused, otherwise
// "accepted".
func (r tableRow) attacked(outcomes map[string]run.Verdict) string {
	var in []string
	for id, verdict := range outcomes {
		if r.covers(id) && verdict != run.Refused {
			in = append(in, id+" "+string(verdict))
		}
	}
	switch let := slices.ContainsFunc(in, func(s string) bool { return strings.HasSuffix(s, string(run.LetIn)) }); {
	case r.forged && !let:
		return "nothing forged gets in"
	case let:
		return "accepted"
	case len(in) == 0:
		return "refused"
	}
	slices.Sort(in)
	return strings.Join(in, ", ")
}

// attackForTable runs the attacks of all rows, with and without unsolicited
// responses.
func attackForTable(t *testing.T, lib tableLib, rows []tableRow) map[bool]map[string]run.Verdict {
	t.Helper()
	out := map[bool]map[string]run.Verdict{}
	metadata, err := attackIdP().Metadata()
	require.NoError(t, err)
	for _, unsolicited := range []bool{false, true} {
		var only []string
		for _, r := range rows {
			if r.unsolicited == unsolicited {
				only = append(only, r.attacks...)
			}
		}
		h := lib.serve(t, metadata, unsolicited)
		report, err := run.Run(t.Context(), run.Target{
			Login: h.Login, ACS: h.ACS[0], EntityID: h.EntityID, Probe: h.Probe, Identity: regexp.MustCompile(h.Identity),
			IdP:       attackIdP(),
			EncryptTo: peerSPKey().cert.PublicKey.(*rsa.PublicKey), Only: only,
		})
		require.NoError(t, err)
		out[unsolicited] = map[string]run.Verdict{}
		for _, x := range report.Results {
			if !slices.Contains([]run.Verdict{run.NotRun, run.Inconclusive}, x.Verdict) {
				out[unsolicited][x.ID] = x.Verdict
			}
		}
		for _, r := range rows {
			ran := slices.ContainsFunc(report.Results, func(x run.Result) bool {
				return r.covers(x.ID) && out[unsolicited][x.ID] != ""
			})
			require.True(t, ran || r.probe != nil || r.unsolicited != unsolicited, "%s: nothing was run", r.name)
		}
	}
	return out
}

// comparedTable reads the table of the page that is about these three libraries alone.
func comparedTable(t *testing.T) (head []string, cells map[string][]string) {
	t.Helper()
	text, err := os.ReadFile("../../../acs/COMPARED.md")
	require.NoError(t, err)
	cells = map[string][]string{}
	for line := range strings.Lines(string(text)) {
		line, table := strings.CutPrefix(strings.TrimSpace(line), "|")
		switch {
		case !table && head != nil:
			return head, cells
		case !table || strings.HasPrefix(line, " ---"):
			continue
		}
		var row []string
		for cell := range strings.SplitSeq(strings.TrimSuffix(line, "|"), "|") {
			row = append(row, strings.ReplaceAll(strings.TrimSpace(cell), "**", ""))
		}
		switch {
		case head != nil:
			require.Len(t, row, len(head), line)
			require.NotContains(t, cells, row[0])
			cells[row[0]] = row[1:]
		case len(row) == 4 && strings.Contains(line, "gosaml2"):
			head = row
		}
	}
	require.NotNil(t, head, "the page has no such table")
	return head, cells
}

// tableRows are all rows.
func tableRows() []tableRow {
	return []tableRow{
		{name: "Single logout", probe: speaksLogout},
		{name: "Artifact binding", probe: speaks("Artifact")},
		{name: "SimpleSign binding", probe: speaks("SimpleSign")},
		{name: "Attribute queries", probe: speaks("AttributeQuery")},
		{name: "Identity provider", probe: func(_ *testing.T, lib tableLib) string { return lib.idp }},
		{name: "ACS URLs in one service provider's metadata",
			probe: func(t *testing.T, lib tableLib) string { return lib.acsURLs(t) }},
		{name: "Signature wrapping (families A01 to A25)", attacks: []string{"A"}, forged: true},
		{name: "Replayed assertion, by default", attacks: []string{"D01"}},
		{name: "Answer to another browser's request", attacks: []string{"D11/waiting", "D11/idle"}},
		{name: "InResponseTo of no request, where IdP-initiated is allowed", attacks: []string{"D09/unknown", "D09/longer"},
			unsolicited: true},
		{name: "RelayState as a redirect elsewhere, IdP-initiated", attacks: []string{"D44"}, unsolicited: true},
		{name: "Two AudienceRestrictions, one not ours", attacks: []string{"D31"}},
		{name: "No AudienceRestriction", attacks: []string{"D30/none"}},
		{name: "A condition that isn't understood", attacks: []string{"D33"}},
		{name: "RSA with SHA-1, by default", probe: probeSHA1},
		{name: "RSA key of 1,024 bits, by default", probe: probeSmallKey},
		{name: "Metadata past its validUntil, by default", probe: probeExpired},
		{name: "Response issued three minutes ago", probe: probeOld},
		{name: "Assertion with 10,000 groups", probe: probeGroups(10_000)},
		{name: "Two signing keys in metadata, no KeyInfo", probe: probeRollover},
		{name: "ECDSA as XML Signature has it (r‖s)", probe: probeECDSA},
		{name: "Encrypted assertions", probe: probeCiphers},
		{name: "CBC that no signature covers, by default", probe: probeOpenCBC},
		{name: "Key transport", probe: probeKeyTransport},
	}
}

// speaks reports whether the service provider has methods for a feature.
func speaks(what string) func(*testing.T, tableLib) string {
	return func(_ *testing.T, lib tableLib) string {
		if slices.ContainsFunc(lib.methods(), func(name string) bool { return strings.Contains(name, what) }) {
			return "yes"
		}
		return "no"
	}
}

// speaksLogout lists the bindings by which it makes a LogoutRequest.
func speaksLogout(t *testing.T, lib tableLib) string {
	if lib.logout == nil {
		require.Equal(t, "no", speaks("Logout")(t, lib))
		return "no"
	}
	var out []string
	for _, binding := range []string{"Redirect", "POST", "SimpleSign", "SOAP"} {
		request, has := lib.logout(t)[binding]
		if has {
			require.NotEmpty(t, request, binding)
			out = append(out, binding)
		}
	}
	return strings.Join(out, ", ")
}

// meridianLogout makes a LogoutRequest by every binding.
func meridianLogout(t *testing.T) map[string]string {
	t.Helper()
	idp, err := saml.NewIdP(saml.IdPConfig{
		EntityID: "https://idp.example", Keys: []crypto.PublicKey{peerSPKey().key.Public()},
		Logout: []saml.LogoutService{
			{Binding: saml.HTTPRedirect, URL: "https://idp.example/slo"}, {Binding: saml.HTTPPost, URL: "https://idp.example/slo"},
			{Binding: saml.SOAP, URL: "https://idp.example/slo"},
		},
	})
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{
		EntityID: tableEntity, ACS: []saml.Endpoint{{URL: tableACS}}, IdP: idp, Key: peerSPKey().key,
		Certificate: peerSPKey().cert, Logout: []saml.LogoutEndpoint{{URL: tableACS + "/logout"}},
	})
	require.NoError(t, err)
	request := func(binding string) *saml.LogoutRequest {
		r, err := sp.NewLogoutRequest(saml.LogoutOptions{NameID: saml.NameID{Value: peerUser}, Binding: binding})
		require.NoError(t, err)
		return r
	}
	redirect, err := request(saml.HTTPRedirect).RedirectURL("")
	require.NoError(t, err)
	post, err := request(saml.HTTPPost).PostForm("")
	require.NoError(t, err)
	soap, err := request(saml.SOAP).Envelope()
	require.NoError(t, err)
	return map[string]string{"Redirect": redirect, "POST": fmt.Sprint(post), "SOAP": string(soap)}
}

// crewjamLogout makes a LogoutRequest by every binding.
func crewjamLogout(t *testing.T) map[string]string {
	t.Helper()
	sp := newCrewjam(t, tableIdP(t, nil).Metadata(""))
	sp.SignatureMethod = dsig.RSASHA256SignatureMethod
	idp := &sp.IDPMetadata.IDPSSODescriptors[0]
	for _, binding := range []string{
		crewjam.HTTPRedirectBinding, crewjam.HTTPPostBinding, crewjam.HTTPPostSimpleSignBinding, crewjam.SOAPBinding,
	} {
		idp.SingleLogoutServices = append(idp.SingleLogoutServices, crewjam.Endpoint{Binding: binding, Location: "https://idp.example/slo"})
	}
	redirect, err := sp.MakeRedirectLogoutRequest(peerUser, "")
	require.NoError(t, err)
	post, err := sp.MakePostLogoutRequest(peerUser, "")
	require.NoError(t, err)
	simple, err := sp.MakeSimpleSignLogoutRequest(peerUser, "")
	require.NoError(t, err)
	soap, err := sp.MakeSOAPLogoutRequest(crewjam.NameID{Value: peerUser})
	require.NoError(t, err)
	return map[string]string{"Redirect": redirect.String(), "POST": string(post), "SimpleSign": string(simple),
		"SOAP": fmt.Sprint(soap.ID)}
}
