package aws_test

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
)

// Rule 50. The test of the announcement: a profile for each Region, AWS's own host names, and no endpoint override.
func TestLoginInBothRegions(t *testing.T) {
	for _, suite := range suites {
		t.Run(suite, func(t *testing.T) {
			w := newWorld(t, "443")
			c := w.newCLI(suite)
			var seen []identity
			for i, profile := range profiles {
				c.login(w.browser(i, corp.Alice), profile)
				seen = append(seen, c.identity(profile))
			}
			assert.Equal(t, seen[0], seen[1], "the role is the same in both Regions")
			assert.Equal(t, "111122223333", seen[0].Account)
			assert.Regexp(t, `^arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_ReadOnly_[0-9a-f]{16}/alice@example.com$`,
				seen[0].Arn)
			assert.Regexp(t, `^AROA[A-Z2-7]{17}:alice@example.com$`, seen[0].UserId)

			// A device code, for another session that doesn't end the first.
			c.login(w.browser(0, corp.Alice), profiles[0], "--use-device-code")
			c.forgetCredentials()
			assert.Equal(t, seen[0], c.identity(profiles[0]))

			fourAtOnce(t, c)

			// Signing out ends the CLI's access in both Regions.
			c.ok("sso", "logout", "--profile", profiles[0])
			c.forgetCredentials()
			for _, profile := range profiles {
				r := c.run("sts", "get-caller-identity", "--profile", profile)
				assert.Equal(t, 255, r.code, "%s", r)
			}
			for _, secret := range []string{"aoa", "aor"} {
				assert.NotContains(t, w.logged(), "token="+secret)
			}
		})
	}
}

var tornCache = regexp.MustCompile(`'[0-9a-f]{40}'\s*$`)

// fourAtOnce has four command lines renew one access token at the same time.
func fourAtOnce(t *testing.T, c *cli) {
	for range 2 { // the second time with the renewed token
		c.expireTokens()
		c.forgetCredentials()
		results, wg := make([]result, 4), sync.WaitGroup{}
		for i := range results {
			wg.Go(func() {
				// A CLI that reads its cache while another writes it fails with the file's name, before it asks us.
				for range 5 {
					results[i] = c.run("sts", "get-caller-identity", "--profile", profiles[0])
					if !tornCache.MatchString(results[i].err) {
						return
					}
				}
			})
		}
		wg.Wait()
		for _, r := range results {
			require.Zero(t, r.code, "%s", r)
		}
	}
}

// A revocation in one Region ends access in both: no new credentials and no renewed token. Credentials that were given
// before live until they expire.
func TestRevocation(t *testing.T) {
	for i, suite := range suites {
		t.Run(suite, func(t *testing.T) {
			w := newWorld(t, "443")
			c := w.newCLI(suite)
			for i, profile := range profiles {
				c.login(w.browser(i, corp.Alice), profile)
				c.identity(profile)
			}
			given := strings.Fields(c.ok("configure", "export-credentials", "--profile", profiles[0],
				"--format", "env-no-export").out)
			require.GreaterOrEqual(t, len(given), 3)

			revoking := w.regions[i]
			require.NoError(t, revoking.Sessions().RevokeUser(t.Context(), corp.Alice))
			for _, r := range w.regions {
				require.NoError(t, check.Until(t.Context(), time.Minute, func() error {
					all, _ := r.Known(t.Context())
					return check.Same("the sessions that the Region knows", 0, all)
				}))
			}
			for _, profile := range profiles {
				assert.Zero(t, c.run("sts", "get-caller-identity", "--profile", profile).code, "cached credentials")
			}
			r := c.runWith(append(given, "AWS_REGION="+corp.Frankfurt.Name), "sts", "get-caller-identity")
			assert.Zero(t, r.code, "credentials of the one Region at the other, after the revocation: %s", r)

			c.forgetCredentials()
			for _, profile := range profiles {
				r := c.run("sts", "get-caller-identity", "--profile", profile)
				assert.Equal(t, 255, r.code, "%s", r)
				assert.Contains(t, r.err, "expired or is otherwise invalid")
			}
			c.expireTokens()
			for _, profile := range profiles {
				r := c.run("sts", "get-caller-identity", "--profile", profile)
				assert.Equal(t, 255, r.code, "%s", r)
				assert.Contains(t, r.err, "refresh failed")
			}
			c.login(w.browser(0, corp.Alice), profiles[0])
			c.identity(profiles[0])
		})
	}
}

// The primary is lost: its profile fails, and the other Region's works on, also for a new sign-in.
func TestLostPrimary(t *testing.T) {
	w := newWorld(t, "443")
	c := w.newCLI(suites[1])
	for i, profile := range profiles {
		c.login(w.browser(i, corp.Alice), profile)
	}
	w.stop(0)
	c.forgetCredentials()
	assert.Equal(t, 255, c.run("sts", "get-caller-identity", "--profile", profiles[0]).code)
	c.identity(profiles[1])
	c.login(w.browser(1, corp.Bob), profiles[1])
	assert.Contains(t, c.identity(profiles[1]).Arn, "/alice@example.com", "cached credentials")
	c.forgetCredentials()
	assert.Contains(t, c.identity(profiles[1]).Arn, "/bob@example.com")
}
