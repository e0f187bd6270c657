// What test_go.py drives: go-libvirt of Debian's golang-github-digitalocean-go-libvirt-dev takes, lists, reverts to and deletes
// snapshots. usage: client SOCKET DOMAIN
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/digitalocean/go-libvirt"
	"github.com/digitalocean/go-libvirt/socket/dialers"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func names(l *libvirt.Libvirt, domain libvirt.Domain) string {
	snapshots, _, err := l.DomainListAllSnapshots(domain, 1, 0)
	check(err)
	var list []string
	for _, snapshot := range snapshots {
		list = append(list, snapshot.Name)
	}
	return strings.Join(list, " ")
}

func main() {
	l := libvirt.NewWithDialer(dialers.NewLocal(dialers.WithSocket(os.Args[1])))
	check(l.Connect())
	domains, _, err := l.ConnectListAllDomains(1, libvirt.ConnectListDomainsActive|libvirt.ConnectListDomainsInactive)
	check(err)
	fmt.Println("domains:", len(domains))
	domain, err := l.DomainLookupByName(os.Args[2])
	check(err)
	for _, name := range []string{"one", "two"} {
		_, err = l.DomainSnapshotCreateXML(domain, "<domainsnapshot><name>"+name+"</name></domainsnapshot>", 0)
		check(err)
	}
	fmt.Println("snapshots:", names(l, domain))
	one, err := l.DomainSnapshotLookupByName(domain, "one", 0)
	check(err)
	xml, err := l.DomainSnapshotGetXMLDesc(one, 0)
	check(err)
	fmt.Println("is one:", strings.Contains(xml, "<name>one</name>"))
	check(l.DomainRevertToSnapshot(one, 0))
	current, err := l.DomainSnapshotCurrent(domain, 0)
	check(err)
	fmt.Println("current:", current.Name)
	two, err := l.DomainSnapshotLookupByName(domain, "two", 0)
	check(err)
	check(l.DomainSnapshotDelete(two, 0))
	fmt.Println("snapshots:", names(l, domain))
	_, err = l.DomainSnapshotLookupByName(domain, "two", 0)
	var refused libvirt.Error
	fmt.Println("no such snapshot:", errors.As(err, &refused) && refused.Code == uint32(libvirt.ErrNoDomainSnapshot))
	check(l.Disconnect())
}
