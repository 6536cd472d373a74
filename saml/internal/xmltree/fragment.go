package xmltree

import "slices"

// ParseFragment reads an element that was encrypted, with the namespaces in scope
// at around, where it stood. Its IDs must be unique in the documents around it too.
//
// A canonical form has only the declarations that are visibly used, so an attacker
// can change the others around a ciphertext without breaking a signature over it.
// ParseFragment is for an element with a signature of its own, whose canonical form
// has the declarations that it uses.
func ParseFragment(fragment []byte, limits Limits, around Node) (*Doc, error) {
	return parse(string(fragment), limits, around, Node{})
}

// ParseSigned is ParseFragment for an element that a signature covers as ciphertext
// only. In scope are the namespaces that elements from signed down to around visibly
// use, which that signature covers too, and no others.
func ParseSigned(fragment []byte, limits Limits, around, signed Node) (*Doc, error) {
	return parse(string(fragment), limits, around, signed)
}

// surround puts into scope what is in scope around a fragment.
func (r *reader) surround(around, signed Node) {
	var chain []*node // from the outermost element to around
	for n := around; n.OK(); n = n.Parent() {
		chain = append(chain, n.node())
		if n == signed {
			break
		}
	}
	slices.Reverse(chain)
	in := around.d
	bind := func(prefix Prefix, ns NS) {
		p := r.prefix(in.prefixes.all[prefix])
		r.scope[p] = NS(r.d.uris.number(in.URI(ns)))
		r.d.context = append(r.d.context, Decl{Prefix: p, NS: r.scope[p]})
	}
	if signed.OK() {
		for _, n := range chain {
			bind(n.prefix, n.ns)
			for _, a := range in.attrsOf(n) {
				if a.prefix > XMLPrefix {
					bind(a.prefix, a.ns)
				}
			}
		}
		return
	}
	for _, decl := range in.context {
		bind(decl.Prefix, decl.NS)
	}
	for _, n := range chain {
		for _, decl := range in.declsOf(n) {
			bind(decl.Prefix, decl.NS)
		}
	}
}
