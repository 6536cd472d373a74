// Package awsnames knows the formats of the addresses of an instance of AWS's
// IAM Identity Center: its access portals and its assertion consumer service
// (ACS) URLs, Region by Region. It is for the configuration of a Region or of an
// identity provider's app, and to compare with: Meridian serves whatever
// addresses it is configured with.
//
// The formats are those of AWS's commercial partition. Other partitions, such as
// China, GovCloud and the European Sovereign Cloud, have other domains: their
// Regions are refused.
package awsnames
