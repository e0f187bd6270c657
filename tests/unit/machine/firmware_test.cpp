// Which of the installed firmware a document means.
#include "machine/firmware.h"

#include "../os/scratch.h"
#include "base/error.h"
#include "documents.h"

#include <gtest/gtest.h>

namespace domsnap::machine::test {
namespace {

std::string descriptor(const std::string& code, const std::string& machines, const std::string& features,
                       const std::string& mapping = "") {
    return fmt::format(R"({{"interface-types": ["uefi"], "mapping": {{"device": "flash"{},
        "executable": {{"filename": "/fw/{}", "format": "raw"}},
        "nvram-template": {{"filename": "/fw/{}.vars", "format": "raw"}}}},
        "targets": [{{"architecture": "x86_64", "machines": [{}]}}], "features": [{}], "tags": []}})",
                       mapping, code, code, machines, features);
}

class FirmwareFolders : public testing::Test {
  protected:
    void SetUp() override {
        os::make_folders(etc);
        os::make_folders(usr);
        write(usr, "40-enrolled",
              descriptor("enrolled", "\"pc-q35-*\"",
                         R"("secure-boot", "enrolled-keys", "requires-smm", "acpi-s3")"));
        write(usr, "50-secure", descriptor("secure", "\"pc-q35-*\"", R"("secure-boot", "requires-smm")"));
        write(usr, "60-plain", descriptor("plain", R"("pc-q35-*", "pc-i440fx-*")", ""));
        write(usr, "10-combined", descriptor("combined", "\"pc-q35-*\"", "", R"(, "mode": "combined")"));
    }
    void write(const std::string& folder, const std::string& name, const std::string& text) {
        os::write_file(folder + "/" + name + ".json", text);
    }
    model::Domain complete(const std::string& attributes, const std::string& inside,
                           const std::string& machine = "pc-q35-7.2", const std::string& beside = "") {
        auto domain = domain_of(fmt::format("<domain type='qemu'><name>t</name><memory>65536</memory><os{}>"
                                            "<type machine='{}'>hvm</type>{}</os>{}<devices/></domain>",
                                            attributes, machine, inside, beside));
        complete_firmware(domain, installed_firmware({etc, usr}), "/state/VARS.fd");
        return domain;
    }
    std::string code(const std::string& inside, const std::string& machine = "pc-q35-7.2",
                     const std::string& beside = "") {
        return complete(" firmware='efi'", inside, machine, beside).document.text_at("os/loader");
    }

    Scratch scratch;
    const std::string etc = scratch / "etc", usr = scratch / "usr";
};

} // namespace

TEST_F(FirmwareFolders, TheFirstThatFitsCounts) {
    EXPECT_EQ(code(""), "/fw/enrolled");
    EXPECT_EQ(code("", "pc-i440fx-7.2"), "/fw/plain");
    EXPECT_EQ(code("<firmware><feature enabled='no' name='enrolled-keys'/></firmware>"), "/fw/secure");
    EXPECT_EQ(code("<firmware><feature enabled='no' name='secure-boot'/></firmware>"), "/fw/plain");
    EXPECT_EQ(code("<loader secure='no'/>"), "/fw/plain");
    EXPECT_EQ(code("", "pc-q35-7.2", "<features><smm state='off'/></features>"), "/fw/plain");
    EXPECT_EQ(code("<firmware><feature enabled='no' name='enrolled-keys'/></firmware>", "pc-q35-7.2",
                   "<features><smm state='on'/></features>"),
              "/fw/secure");
}

TEST_F(FirmwareFolders, AnotherFolderGoesBeforeAndHides) {
    write(etc, "40-enrolled", "");
    EXPECT_EQ(code(""), "/fw/secure");
    write(etc, "40-enrolled", descriptor("mine", "\"pc-q35-*\"", ""));
    EXPECT_EQ(code(""), "/fw/mine");
}

TEST_F(FirmwareFolders, WhatWasChosenIsWrittenDown) {
    const auto domain = complete(" firmware='efi'", "");
    const auto* loader = domain.document.at("os/loader");
    EXPECT_EQ(loader->attribute("secure"), "yes");
    EXPECT_EQ(domain.document.at("features/smm")->attribute("state"), "on");
    const auto nvram = model::nvram_of(domain);
    EXPECT_EQ(nvram->template_file, "/fw/enrolled.vars");
    EXPECT_EQ(nvram->file, "/state/VARS.fd");
    auto again = domain;
    complete_firmware(again, {}, "/elsewhere");
    EXPECT_TRUE(model::same_content(again.document, domain.document));
}

TEST_F(FirmwareFolders, ALoaderOfOnesOwnFindsItsTemplate) {
    const auto domain = complete("", "<loader type='pflash'>/fw/plain</loader><nvram>/mine.fd</nvram>");
    EXPECT_EQ(model::nvram_of(domain)->template_file, "/fw/plain.vars");
    EXPECT_EQ(model::nvram_of(domain)->file, "/mine.fd");
    EXPECT_EQ(model::nvram_of(complete("", "<loader type='pflash'>/other</loader>"))->template_file, "");
    EXPECT_FALSE(model::nvram_of(complete("", "<loader type='pflash' stateless='yes'>/fw/plain</loader>")));
    EXPECT_FALSE(model::nvram_of(complete("", "")));
}

TEST_F(FirmwareFolders, RefusalsNameMachineAndFile) {
    const auto words = [&](const auto& act) {
        try {
            act();
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    const auto none = words([&] { code("", "microvm"); });
    EXPECT_NE(none.find("Unable to find any firmware"), std::string::npos) << none;
    EXPECT_NE(none.find("microvm"), std::string::npos) << none;
    write(etc, "99-broken", "{");
    EXPECT_NE(words([&] { code(""); }).find("99-broken.json"), std::string::npos);
}

} // namespace domsnap::machine::test
