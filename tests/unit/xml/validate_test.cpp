// The schema and the parser are two descriptions of one language: both see the same documents.
#include "xml/validate.h"

#include "base/error.h"
#include "golden.h"
#include "xml/snapshot.h"

#include <set>

using namespace domsnap;

namespace {

const std::filesystem::path folder = TEST_DATA "/snapshot";
const std::string our_schema = SCHEMAS "/domainsnapshot.rng";
const std::string libvirts_schema = "/usr/share/libvirt/schemas/domainsnapshot.rng";

/// What the parser takes, as libvirt's does, by looking away.
const std::set<std::string> only_the_parser_accepts{
    "redefine-active-word",     "redefine-description-nested", "redefine-disk-other-element-with-name",
    "redefine-disk-two-lists",  "redefine-disk-two-sources",   "redefine-memory-twice-first-wins",
    "redefine-name-nested",     "redefine-name-twice",         "redefine-parent-text",
    "redefine-text-between",    "redefine-undeclared-prefix",  "redefine-unknown-element",
    "request-ignores-the-rest",
};

/// What a schema cannot know: the domain's disks, …
const std::set<std::string> only_alignment_refuses{
    "redefine-disk-block-without-device",
    "redefine-disk-cdrom-external",
    "redefine-disk-collision-of-two",
    "redefine-disk-collision",
    "redefine-disk-too-many",
    "redefine-disk-twice",
    "redefine-disk-unknown-path",
    "redefine-disk-unknown",
    "redefine-memory-unknown-disk",
    "request-disk-raw-overlay",
    "request-disk-twice",
    "request-disk-unknown",
    // … what a document is for (a redefined one must have more), …
    "redefine-empty-name",
    "redefine-no-name",
    "redefine-no-state",
    "redefine-no-time",
    "redefine-memory-external-without-file",
    // … what two elements mean together, …
    "redefine-memory-external-disk-snapshot",
    "redefine-memory-external-shutoff",
    "redefine-memory-internal-disk-snapshot",
    "redefine-memory-internal-shutoff",
    // … and what is in a <domain>, which has a schema of its own.
    "redefine-domain-without-name",
    "redefine-inactive-domain-without-type",
};

/// Faults, or one for what is no XML at all.
std::vector<xml::Fault> faults_of(const std::filesystem::path& file) {
    try {
        return xml::validate(golden::read(file), file, our_schema);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_request) << error.what();
        return {{0, error.what()}};
    }
}

} // namespace

TEST(OurSchema, accepts_what_the_parser_accepts) {
    for (const auto& file : golden::files(folder / "good", ".xml")) {
        const auto faults = faults_of(file);
        EXPECT_EQ(faults.empty(), !only_the_parser_accepts.contains(file.stem()))
            << file << (faults.empty() ? "" : ": " + faults.front().reason);
    }
}

TEST(OurSchema, refuses_what_the_parser_refuses) {
    for (const auto& file : golden::files(folder / "bad", ".xml"))
        EXPECT_EQ(faults_of(file).empty(), only_alignment_refuses.contains(file.stem())) << file;
}

TEST(OurSchema, accepts_what_we_write) {
    for (const auto& file : golden::files(folder / "good", ".xml")) {
        if (!file.stem().string().starts_with("redefine-")) continue;
        auto snapshot = xml::parse_snapshot(golden::read(file), {.redefine = true}, file);
        for (auto& disk : snapshot.disks)
            if (disk.location == model::Location::internal)
                disk.point = {"/images/x.qcow2", "qcow2", snapshot.name};
        const auto text =
            model::to_pretty_text(model::to_element(snapshot, {.security_info = true, .points = true}));
        const auto faults = xml::validate(text, "written", our_schema);
        EXPECT_TRUE(faults.empty()) << file << ": " << faults.front().reason << "\n" << text;
    }
}

TEST(LibvirtsSchema, accepts_what_we_write) {
    if (!std::filesystem::exists(libvirts_schema)) GTEST_SKIP() << "libvirt's schemas are not installed";
    // A few that stand for all: its schema takes a tenth of a second to load. Not disk=, which is ours.
    for (const char* name : {"everything", "state-shutoff", "memory-external", "inactive-domain",
                             "description", "parent", "cookie", "disk-block", "disk-manual", "disk-network",
                             "disk-source-seclabel", "domain-attributes-external"}) {
        const auto file = folder / "good" / (std::string("redefine-") + name + ".xml");
        const auto snapshot = xml::parse_snapshot(golden::read(file), {.redefine = true}, file);
        const auto text = model::to_pretty_text(model::to_element(snapshot));
        const auto faults = xml::validate(text, "written", libvirts_schema);
        EXPECT_TRUE(faults.empty()) << file << ": " << faults.front().reason << "\n" << text;
    }
}

TEST(Validate, names_the_line) {
    const auto faults =
        xml::validate("<domainsnapshot>\n<name>a</name>\n<memory snapshot='x'/>\n</domainsnapshot>",
                      "given.xml", our_schema);
    ASSERT_FALSE(faults.empty());
    for (const auto& fault : faults)
        EXPECT_EQ(fault.line, 3) << fault.reason;
}

TEST(Validate, says_what_is_wrong_with_the_schema) {
    const auto code = [](const std::string& schema) {
        try {
            static_cast<void>(xml::validate("<a/>", "given.xml", schema));
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::outcome_unknown;
    };
    EXPECT_EQ(code("/nonexistent/a.rng"), ErrorCode::not_found);
    EXPECT_EQ(code(TEST_DATA "/domain/lab-minimal.xml"), ErrorCode::io);
}

TEST(FindSchema, prefers_the_named_folder) {
    ::setenv("DOMSNAP_SCHEMA_DIR", SCHEMAS, 1);
    EXPECT_EQ(xml::find_schema("domainsnapshot"), our_schema);
    ::unsetenv("DOMSNAP_SCHEMA_DIR");
    EXPECT_FALSE(xml::find_schema("domainsnapshot").empty());
    EXPECT_EQ(xml::find_schema("nothing"), "");
    EXPECT_EQ(xml::find_schema("../domain"), "");
}
