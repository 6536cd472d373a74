package portal

import (
	"cmp"
	"net/http"
	"regexp"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
)

// accessKeys tells a user how AWS's command line gets credentials for a role in this Region.
type accessKeys struct {
	Profile string // its name
	Config  string // for ~/.aws/config
}

// Values in the command line's configuration: one line each, of what AWS allows in them.
var (
	configName    = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,64}$`)
	configAccount = regexp.MustCompile(`^[0-9]{12}$`)
	configURL     = regexp.MustCompile(`^https?://[!-~]{1,500}$`)
)

// role is the page of a permission set with its accessKeys.
func (p clientPages) role(w http.ResponseWriter, r *http.Request, v *visit) {
	start := cmp.Or(p.clients.StartURL(), p.place(r).portal)
	p.renderRole(w, r, v, func(a center.Account, set center.PermissionSet) *accessKeys {
		return p.accessKeys(start, a, set)
	})
}

// accessKeys returns nil for names that the command line's configuration can't have.
func (p *Portal) accessKeys(start string, a center.Account, set center.PermissionSet) *accessKeys {
	region := p.cfg.Region
	if !configName.MatchString(set.Name) || !configAccount.MatchString(a.ID) || !configURL.MatchString(start) ||
		!configName.MatchString(region) {
		return nil
	}
	profile := set.Name + "-" + a.ID + "-" + region
	return &accessKeys{Profile: profile, Config: strings.Join([]string{
		"[profile " + profile + "]",
		"sso_session = meridian-" + region,
		"sso_account_id = " + a.ID,
		"sso_role_name = " + set.Name,
		"region = " + region,
		"",
		"[sso-session meridian-" + region + "]",
		"sso_start_url = " + start,
		"sso_region = " + region,
		"sso_registration_scopes = sso:account:access",
	}, "\n")}
}
