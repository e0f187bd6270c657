// Every document of snapshot/good is accepted and printed as its .out says, every one of snapshot/bad refused
// as its .err says. What stands in them was compared with libvirt's own test driver (see libvirt_oracle.py).
// The first part of a file's name is how it is read: request, disk_only or redefine.
#include "base/error.h"
#include "golden.h"
#include "xml/document.h"
#include "xml/snapshot.h"

using namespace domsnap;

namespace {

const std::filesystem::path folder = TEST_DATA "/snapshot";

xml::SnapshotParseOptions options_of(const std::filesystem::path& file) {
    const auto mode = file.stem().string();
    xml::SnapshotParseOptions options;
    options.redefine = mode.starts_with("redefine-");
    options.disk_only = mode.starts_with("disk_only-");
    return options;
}

model::Snapshot parse(const std::filesystem::path& file) {
    return xml::parse_snapshot(golden::read(file), options_of(file), file.filename());
}

/// The document's own domain where it has a whole one.
model::Domain domain_for(const model::Snapshot& snapshot) {
    if (!snapshot.domain.empty() && snapshot.domain.front().find_attribute("type"))
        return model::domain_from(snapshot.domain.front());
    return model::domain_from(xml::parse(golden::read(folder / "domain.xml"), "domain.xml"));
}

model::Snapshot aligned(model::Snapshot snapshot, const xml::SnapshotParseOptions& options) {
    const auto domain = domain_for(snapshot);
    xml::align_disks(snapshot, domain, xml::default_disk_location(snapshot, options.disk_only));
    // A request's names are the planner's.
    if (options.redefine) xml::generate_overlays(snapshot, domain);
    return snapshot;
}

std::string shown(model::Snapshot snapshot, bool with_documents) {
    if (!with_documents) snapshot.domain.clear();
    if (!with_documents) snapshot.inactive_domain.clear();
    return model::to_pretty_text(model::to_element(snapshot));
}

bool is_about_documents(const std::filesystem::path& file) {
    const auto name = file.stem().string();
    for (const char* word : {"domain-uuid", "inactive", "password", "everything"})
        if (name.find(word) != std::string::npos) return true;
    return false;
}

std::string refusal_of(const std::filesystem::path& file) {
    try {
        static_cast<void>(aligned(parse(file), options_of(file)));
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_request) << file;
        return std::string("error: ") + error.what() + "\n" +
               (error.hint().empty() ? "" : "hint: " + error.hint() + "\n");
    }
    return "accepted\n";
}

} // namespace

TEST(GoodSnapshots, are_printed_as_recorded) {
    for (const auto& file : golden::files(folder / "good", ".xml")) {
        SCOPED_TRACE(file.filename());
        const auto snapshot = parse(file);
        const auto text = "parsed:\n" + shown(snapshot, is_about_documents(file)) + "aligned:\n" +
                          shown(aligned(snapshot, options_of(file)), false);
        golden::expect(std::filesystem::path(file).replace_extension(".out"), text);
    }
}

TEST(GoodSnapshots, are_the_same_when_read_again) {
    for (const auto& file : golden::files(folder / "good", ".xml")) {
        SCOPED_TRACE(file.filename());
        auto options = options_of(file);
        const auto snapshot = parse(file);
        const auto text = model::to_pretty_text(model::to_element(snapshot, {.security_info = true}));
        options.record = options.redefine; // a time of 0 is not printed
        options.redefine = false;
        EXPECT_EQ(xml::parse_snapshot(text, options, "again"), snapshot);
    }
}

TEST(BadSnapshots, are_refused_as_recorded) {
    for (const auto& file : golden::files(folder / "bad", ".xml")) {
        SCOPED_TRACE(file.filename());
        const auto refusal = refusal_of(file);
        EXPECT_NE(refusal, "accepted\n");
        EXPECT_EQ(std::count(refusal.begin(), refusal.end(), '\n'),
                  refusal.find("\nhint: ") == refusal.npos ? 1 : 2);
        golden::expect(std::filesystem::path(file).replace_extension(".err"), refusal);
    }
}
