// Package aws_test has AWS's own clients sign in to two Regions: the AWS CLI, and the SDKs for Go and JavaScript.
package aws_test

import (
	"testing"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func TestMain(m *testing.M) { testkit.MainLong(m, "they start the AWS CLI and compile the AWS SDK") }
