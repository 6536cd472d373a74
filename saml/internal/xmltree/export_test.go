package xmltree

// HasID reports whether an ID stands anywhere in the document.
func (d *Doc) HasID(id string) bool { return d.ids.has(id, ofElement) || d.ids.has(id, ofSignature) }
