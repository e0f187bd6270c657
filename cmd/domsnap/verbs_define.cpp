// Definitions: define, undefine, domrename, dumpxml, edit.
#include "files.h"
#include "groups.h"
#include "session.h"

#include <fmt/format.h>

namespace domsnap::cli {

static void define(Session& session, const Arguments& arguments) {
    const std::string file = arguments.get("file");
    const std::string xml = read_document(file);
    explained("Failed to define domain from " + file, {file}, [&] {
        const auto name = session.host().define(xml, arguments.has("validate"));
        session.say(fmt::format("Domain '{}' defined from {}\n", name, file));
    });
}

static void undefine(Session& session, const Arguments& arguments) {
    const std::string domain = arguments.get("domain");
    Host::UndefineOptions options;
    options.snapshots_metadata = arguments.has("snapshots-metadata");
    options.snapshots = arguments.has("snapshots");
    options.nvram = arguments.has("nvram");
    options.keep_nvram = arguments.has("keep-nvram");
    options.tpm = arguments.has("tpm");
    options.managed_save = arguments.has("managed-save");
    options.keep_tpm = arguments.has("keep-tpm");
    explained(fmt::format("Failed to undefine domain '{}'", domain), {domain},
              [&] { session.host().undefine(domain, options, session.control()); });
    session.say(fmt::format("Domain '{}' has been undefined\n", domain));
}

static void domrename(Session& session, const Arguments& arguments) {
    session.host().rename(arguments.get("domain"), arguments.get("new-name"), session.control());
    session.say("Domain successfully renamed\n");
}

static void dumpxml(Session& session, const Arguments& arguments) {
    session.print(session.host().xml(arguments.get("domain"), arguments.has("inactive"),
                                     arguments.has("security-info")));
}

static void edit(Session& session, const Arguments& arguments) {
    const std::string name = session.host().info(arguments.get("domain")).name;
    EditedText edited(session.host().xml(name, true, true));
    if (!edited.changed())
        return session.say(fmt::format("Domain '{}' XML configuration not changed.\n", name));
    try {
        session.host().define(edited.text(), !arguments.has("skip-validate"));
    } catch (const Error& error) {
        throw Error(error.code(), fmt::format("domain '{}' is as it was: {}", name, error.what()),
                    fmt::format("your text is kept in {}", edited.keep()));
    }
    session.say(fmt::format("Domain '{}' XML configuration edited.\n", name));
}

std::vector<Verb> define_verbs() {
    return {
        {"define",
         "define (but don't start) a domain from an XML file",
         "Define a domain. A definition of the same name and uuid is replaced.",
         {required("file", "file containing an XML domain description; - is standard input"),
          flag("validate", "validate the XML against the schema")},
         {},
         define},
        {"undefine",
         "undefine a domain",
         "Undefine an inactive domain. One with snapshots is refused unless told what to do with them.",
         {domain_argument(), flag("snapshots-metadata", "forget the snapshots, leave their files"),
          flag("snapshots", "delete the snapshots and their files"), flag("nvram", "remove nvram file"),
          flag("managed-save", "remove the memory that libvirt saved and that waits for the next start"),
          flag("keep-nvram", "keep nvram file"), flag("tpm", "remove TPM state"),
          flag("keep-tpm", "keep TPM state")},
         {exclusive("nvram", "keep-nvram"), exclusive("tpm", "keep-tpm"),
          exclusive("snapshots-metadata", "snapshots")},
         undefine},
        {"domrename",
         "rename a domain",
         "Rename an inactive domain.",
         {domain_argument(), required("new-name", "new domain name")},
         {},
         domrename},
        {"dumpxml",
         "domain information in XML",
         "Output the domain information as an XML dump to stdout.",
         {domain_argument(), flag("inactive", "show inactive defined XML"),
          flag("security-info", "include security sensitive information in XML dump")},
         {},
         dumpxml},
        {"edit",
         "edit XML configuration for a domain",
         "Edit the XML configuration for a domain with $VISUAL or $EDITOR.",
         {domain_argument(), flag("skip-validate", "skip validation of the XML against the schema")},
         {},
         edit},
    };
}

} // namespace domsnap::cli
