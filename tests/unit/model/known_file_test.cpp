// The ledger's entries as XML and back.
#include "model/known_file.h"

#include "base/error.h"
#include "xml/document.h"

#include <gtest/gtest.h>

namespace domsnap::model {

static KnownFile whole_entry() {
    return {.path = "/vm/a 'b' <c>.qcow2",
            .role = FileRole::overlay,
            .made = true,
            .frozen = true,
            .place = {.device = 1, .inode = 18'446'744'073'709'551'615U, .born = 3},
            .content = {.size = 4, .modified = 5, .hash = "0123456789abcdef", .parent = "/vm/a.mem"},
            .header = KnownHeader{.version = 3,
                                  .cluster_size = 65536,
                                  .virtual_size = 1 << 30,
                                  .features = 16,
                                  .backing = "/vm/base",
                                  .backing_format = "raw",
                                  .data_file = "/vm/data"}};
}

TEST(KnownFile, is_read_as_it_was_written) {
    KnownFile plain;
    plain.path = "/vm/disk.img";
    for (const auto& file : {whole_entry(), plain})
        EXPECT_EQ(known_file_from(xml::parse(to_text(to_element(file)), "test")), file);
}

TEST(KnownFile, has_a_word_for_each_role) {
    for (const auto role : {FileRole::given, FileRole::overlay, FileRole::copy, FileRole::memory,
                            FileRole::holder, FileRole::nvram, FileRole::tpm})
        EXPECT_EQ(file_role_from(to_string(role)), role);
    EXPECT_EQ(file_role_from("lent"), std::nullopt);
}

TEST(KnownFile, refuses_what_it_did_not_write) {
    const std::string good = to_text(to_element(whole_entry()));
    const auto without = [&](const std::string& text) {
        auto changed = good;
        changed.replace(changed.find(text), text.size(), "x='y'");
        return changed;
    };
    for (const auto& bad :
         {std::string("<disk/>"), std::string("<file path='/a' role='given'/>"), without("role='overlay'"),
          without("inode='18446744073709551615'"), without("modified='5'"), without("cluster='65536'")})
        EXPECT_THROW(known_file_from(xml::parse(bad, "test")), Error) << bad;
    EXPECT_THROW(known_file_from(xml::parse("<file path='relative' role='given'/>", "test")), Error);
}

} // namespace domsnap::model
