package portal_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
)

// No page and no file that a page loads names AWS or its products, unless Config.AWS says so.
func TestPagesNameAWSOnlyIfAsked(t *testing.T) {
	names := regexp.MustCompile(`(?i)\baws\b.*|amazon.*|identity center.*`)
	for _, asked := range []bool{false, true} {
		p, err := newPortal(t, func(c *portal.Config) { c.AWS = asked })
		require.NoError(t, err)
		samples := p.Samples()
		require.Contains(t, samples["role"], "Alice Adams")
		for name, body := range samples {
			if found := names.FindString(body); name != "role" && name != "region" || !asked {
				assert.Empty(t, found, "%s with AWS %v", name, asked)
			} else {
				assert.NotEmpty(t, found, "%s with AWS %v", name, asked)
			}
		}
		if asked {
			assert.Contains(t, samples["role"], "aws sso login --profile")
			assert.Contains(t, samples["region"], "AWS IAM Identity Center")
		}
	}
}
