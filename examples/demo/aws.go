package main

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/portal/awsnames"
)

// apiHost is the host under which a Region serves AWS's command line, at the port of its portal. A command line can't
// resolve the portal's host: names below localhost are loopback in browsers only.
const apiHost = "localhost"

// isAPI reports whether a request is from AWS's command line, which calls a Region by apiHost or by AWS's own names.
func isAPI(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	return err == nil && host == apiHost || strings.HasSuffix(r.Host, awsDomain)
}

const awsDomain = ".amazonaws.com"

// forAWS returns how a Region serves AWS's command line. All Regions have the same key.
func (w *world) forAWS(s *site) (*region.AWS, error) {
	start, err := startURL(s.Place)
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256([]byte("tokens of command lines|" + w.secret))
	return &region.AWS{Key: key[:], StartURLs: []string{start}}, nil
}

// startURL returns the address of a Region's portal at AWS. The command line takes no other address without asking it
// for a redirect, and never connects to this one.
func startURL(p corp.Place) (string, error) {
	at, err := awsnames.Instance{Primary: corp.Virginia.Name, InstanceID: region.InstanceID}.PortalURLs(p.Name)
	if err != nil {
		return "", err
	}
	return at[1], nil
}

// profile returns the name of a Region's profile. The first two are those of AWS's announcement.
func profile(i int, p corp.Place) string {
	switch i {
	case 0:
		return corp.ReadOnly
	case 1:
		return corp.ReadOnly + "-additional"
	}
	return corp.ReadOnly + "-" + p.Name
}

// companyProfile is the profile with the company's own start URL.
const companyProfile = corp.ReadOnly + "-anywhere"

// awsConfig returns the configuration of AWS's command line, with a profile for each Region.
func (w *world) awsConfig() (string, error) {
	var out strings.Builder
	for i, s := range w.sites {
		start, err := startURL(s.Place)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "[profile %s]\nsso_session = meridian-%s\nsso_account_id = %s\nsso_role_name = %s\n"+
			"region = %[2]s\nservices = meridian-%[2]s\n\n", profile(i, s.Place), s.Name, corp.Production, corp.ReadOnly)
		fmt.Fprintf(&out, "[sso-session meridian-%s]\nsso_start_url = %s\nsso_region = %[1]s\n"+
			"sso_registration_scopes = sso:account:access\n\n", s.Name, start)
		fmt.Fprintf(&out, "[services meridian-%s]\n", s.Name)
		for _, service := range []string{"sso", "sso_oidc", "sts"} {
			fmt.Fprintf(&out, "%s =\n  endpoint_url = %s\n", service, loopback.Origin(apiHost, s.port))
		}
		out.WriteString("\n")
	}
	starts := w.redirector.starts
	fmt.Fprintf(&out, "# The company's own start URL leads to a healthy Region. It needs version 2.35.13 or newer:\n"+
		"# %s aws sso login --profile %s --use-device-code\n", strings.Join(starts.environment(), " "), companyProfile)
	fmt.Fprintf(&out, "[profile %s]\nsso_session = meridian\nsso_account_id = %s\nsso_role_name = %s\nregion = %s\n\n",
		companyProfile, corp.Production, corp.ReadOnly, w.sites[1].Name)
	fmt.Fprintf(&out, "[sso-session meridian]\nsso_start_url = https://%s/\nsso_region = %s\n"+
		"sso_registration_scopes = sso:account:access\n", startHost, w.sites[0].Name)
	return out.String(), nil
}

// awsProfiles answers with the configuration of AWS's command line.
func (c *control) awsProfiles(rw http.ResponseWriter, _ *http.Request) {
	text, err := c.w.awsConfig()
	if err != nil {
		http.Error(rw, "demo: "+err.Error(), http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = rw.Write([]byte(text))
}
