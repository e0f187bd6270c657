#include "scratch.h"

#include "base/text.h"
#include "store/records.h"
#include "store/store.h"

#include <domsnap/error.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace domsnap::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct StoreTest : testing::Test {
    test::Scratch scratch;
    std::string state = scratch.path() + "/state";
    DomainFolder folder(const std::string& name) const { return DomainFolder(state, name); }
    void define(const std::string& name) const {
        folder(name).put_definition("<domain name='" + name + "'/>");
    }
};

template <class Call>
Error caught(Call call) {
    try {
        call();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(ErrorCode::timed_out, "");
}

const std::vector<std::string> awkward_names = {"a",
                                                "..",
                                                ".",
                                                ".hidden",
                                                "-x",
                                                "a..b",
                                                "with blank",
                                                "new\nline",
                                                "per%cent",
                                                "%",
                                                "Ünïcødé-名前",
                                                "a/b",
                                                std::string(300, 'x'),
                                                std::string("nul\0byte", 8),
                                                "a.xml"};

TEST_F(StoreTest, KeepsADefinition) {
    EXPECT_FALSE(folder("g").defined());
    folder("g").put_definition("<domain>one</domain>\n");
    folder("g").put_definition("<domain>two</domain>\n");
    EXPECT_TRUE(folder("g").defined());
    EXPECT_EQ(folder("g").definition(), "<domain>two</domain>\n");
    EXPECT_EQ(os::file_info(folder("g").path())->mode & 0777, 0700u);
    EXPECT_EQ(os::file_info(folder("g").path() + "/definition.xml")->mode & 0777, 0600u);
}

TEST_F(StoreTest, AnUnknownDomainIsNamed) {
    for (const auto& name : {std::string("nodom"), std::string(300, 'x'), std::string("a\nb")}) {
        const auto error = caught([&] { folder(name).definition(); });
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_THAT(error.what(), HasSubstr("failed to get domain '"));
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
}

TEST_F(StoreTest, ListsDomainsInVirshOrder) {
    for (const auto& name : {"s10", "s9", "B", "a", "..", "x y"})
        define(name);
    os::make_folders(state + "/domains/no-definition");
    os::make_folders(state + "/domains/%zz");
    os::write_file(state + "/domains/a-file", "");
    EXPECT_THAT(domain_names(state), ElementsAre("..", "a", "B", "s10", "s9", "x y"));
    EXPECT_THAT(domain_names(scratch.path() + "/none"), ElementsAre());
}

TEST_F(StoreTest, ADomainNameThatIsTooLongIsRefused) {
    EXPECT_EQ(caught([&] { define(std::string(256, 'x')); }).code(), ErrorCode::invalid_request);
    EXPECT_EQ(caught([&] { define(""); }).code(), ErrorCode::invalid_request);
    EXPECT_NO_THROW(define(std::string(255, 'x')));
    folder(std::string(255, 'x')).remove();
    EXPECT_THAT(domain_names(state), ElementsAre());
}

TEST_F(StoreTest, SnapshotNamesMayBeAnything) {
    define("g");
    for (const auto& name : awkward_names)
        folder("g").put_record(name, "<r>" + name);
    for (const auto& name : awkward_names) {
        EXPECT_EQ(folder("g").record(name), "<r>" + name);
        EXPECT_EQ(os::file_info(folder("g").record_path(name))->mode & 0777, 0600u);
        folder("g").set_current(name);
        EXPECT_EQ(folder("g").current(), name);
    }
    EXPECT_EQ(Records(folder("g")).names().size(), awkward_names.size());
    for (const auto& name : awkward_names)
        folder("g").remove_record(name);
    folder("g").remove_record("never there");
    EXPECT_TRUE(Records(folder("g")).names().empty());
    EXPECT_EQ(folder("g").record("a"), std::nullopt);
}

TEST_F(StoreTest, CurrentCanBeNone) {
    define("g");
    EXPECT_EQ(folder("g").current(), "");
    folder("g").set_current("s");
    folder("g").set_current("");
    folder("g").set_current("");
    EXPECT_EQ(folder("g").current(), "");
}

TEST_F(StoreTest, RecordsAreReadByTheirFiles) {
    define("g");
    folder("g").put_record("s", "<record/>");
    os::write_file(folder("g").path() + "/snapshots/.domsnap-0.tmp", "left by a crash");
    os::write_file(folder("g").path() + "/snapshots/README", "not ours");
    const Records records(folder("g"));
    const auto files = records.files();
    ASSERT_EQ(files.size(), 1u);
    EXPECT_EQ(records.path_of(files[0].name), folder("g").record_path("s"));
    EXPECT_EQ(records.read(files[0].name)->document, "<record/>");
    EXPECT_EQ(records.read(files[0].name)->stamp, files[0].stamp);
    folder("g").remove_record("s");
    EXPECT_FALSE(records.read(files[0].name));
    EXPECT_TRUE(Records(folder("none")).files().empty());
}

TEST_F(StoreTest, EveryChangedByteOfARecordIsNoticed) {
    define("g");
    folder("g").put_record("s", "<record>text</record>\n");
    const auto path = folder("g").record_path("s");
    const auto whole = os::read_file(path, 4096);
    for (size_t at = 0; at < whole.size(); ++at) {
        auto changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        os::write_file(path, changed);
        EXPECT_THAT(caught([&] { folder("g").record("s"); }).what(), HasSubstr(path)) << "byte " << at;
    }
    for (size_t cut = 0; cut < whole.size(); ++cut) {
        os::write_file(path, whole.substr(0, cut));
        EXPECT_EQ(caught([&] { folder("g").record("s"); }).code(), ErrorCode::corrupt) << "cut at " << cut;
    }
}

TEST_F(StoreTest, ANewerVersionIsSaidToBeNewer) {
    const auto error =
        caught([] { unwrap("record", "<!-- domsnap record 2 in some new way -->\n<x/>", "/s/r.xml"); });
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), HasSubstr("/s/r.xml: written by a newer domsnap"));
}

TEST_F(StoreTest, OneKindIsNotTakenForAnother) {
    EXPECT_EQ(unwrap("record", wrap("record", "<x/>"), "p"), "<x/>");
    EXPECT_EQ(caught([] { unwrap("definition", wrap("record", "<x/>"), "p"); }).code(), ErrorCode::corrupt);
}

TEST_F(StoreTest, SymbolicLinksAreNotFollowed) {
    define("g");
    const auto elsewhere = scratch.path() + "/elsewhere";
    os::write_file(elsewhere, wrap("record", "<x/>"));
    ASSERT_EQ(::symlink(elsewhere.c_str(), folder("g").record_path("s").c_str()), 0);
    EXPECT_EQ(caught([&] { folder("g").record("s"); }).code(), ErrorCode::corrupt);
    folder("g").put_record("s", "<y/>"); // replaces the link, not what it points to
    EXPECT_EQ(folder("g").record("s"), "<y/>");
    EXPECT_EQ(os::read_file(elsewhere, 4096), wrap("record", "<x/>"));
}

TEST_F(StoreTest, TooLargeADocumentIsRefusedBothWays) {
    define("g");
    const std::string large(max_document + 1, ' ');
    EXPECT_EQ(caught([&] { folder("g").put_record("s", large); }).code(), ErrorCode::invalid_request);
    os::write_file(folder("g").record_path("s"), large + large);
    EXPECT_EQ(caught([&] { folder("g").record("s"); }).code(), ErrorCode::corrupt);
}

TEST_F(StoreTest, RemoveTakesEverything) {
    define("g");
    folder("g").put_record("s", "<r/>");
    os::write_file(folder("g").memory_folder() + "/image", "ram");
    folder("g").remove();
    EXPECT_FALSE(folder("g").defined());
    EXPECT_TRUE(os::list_folder(state + "/domains").empty());
    folder("g").remove();
}

// A crash after the rename leaves the folder under its other name, a crash before it leaves all.
TEST_F(StoreTest, WhatAnInterruptedRemovalLeftIsNoDomain) {
    define("g");
    folder("g").remove();
    os::make_folders(state + "/domains/.gone-0123/snapshots");
    EXPECT_TRUE(domain_names(state).empty());
    os::make_folders(folder("g").path() + "/snapshots");
    os::write_file(folder("g").record_path("ghost"), wrap("record", "<r/>"));
    define("g");
    EXPECT_TRUE(Records(folder("g")).names().empty());
}

TEST_F(StoreTest, WhatGoesWithADomainGoesOnlyOnceItIsGone) {
    define("g");
    const auto file = state + "/VARS of g.fd";
    os::write_file(file, "variables");
    os::write_file(folder("g").path() + "/going", wrap("going", text::percent_encode(file) + "\n"));
    finish_removals(state);
    EXPECT_TRUE(os::exists(file)); // that removal was cut short before it counted
    folder("g").remove_unfinished();
    EXPECT_FALSE(os::exists(folder("g").path() + "/going"));
    os::write_file(folder("g").path() + "/going", wrap("going", text::percent_encode(file) + "\n"));
    os::rename_durably(folder("g").path(), state + "/domains/.gone-0123");
    finish_removals(state);
    EXPECT_FALSE(os::exists(file));
    EXPECT_TRUE(os::list_folder(state + "/domains").empty());
}

TEST_F(StoreTest, RemoveTakesWhatItIsTold) {
    define("g");
    os::make_folders(state + "/firmware/u/tpm2");
    folder("g").remove({state + "/firmware/u", state + "/never there"});
    EXPECT_FALSE(os::exists(state + "/firmware/u"));
}

TEST_F(StoreTest, RenameMovesSnapshotsToo) {
    define("g");
    define("taken");
    folder("g").put_record("s", "<r/>");
    EXPECT_EQ(caught([&] { rename_domain(state, "g", "taken"); }).code(), ErrorCode::conflict);
    EXPECT_EQ(caught([&] { rename_domain(state, "none", "new"); }).code(), ErrorCode::not_found);
    EXPECT_EQ(caught([&] { rename_domain(state, "g", std::string(256, 'x')); }).code(),
              ErrorCode::invalid_request);
    rename_domain(state, "g", "..");
    EXPECT_THAT(domain_names(state), ElementsAre("..", "taken"));
    EXPECT_EQ(folder("..").record("s"), "<r/>");
}

TEST_F(StoreTest, TheLockLiesOutsideTheFolder) {
    EXPECT_EQ(folder("a b").lock_path(), state + "/locks/a%20b");
    EXPECT_EQ(os::file_info(state + "/locks")->mode & 0777, 0700u);
    EXPECT_EQ(caught([&] { folder(std::string(300, 'x')).lock_path(); }).code(), ErrorCode::not_found);
}

} // namespace
} // namespace domsnap::store
