#:sdk Microsoft.NET.Sdk.Web
#:property PublishAot=false
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography.Xml;
using System.Xml;

// A consumer's judge of signed metadata, by .NET's SignedXml: the certificate in PEM is its argument, files come on standard
// input, and each gets a verdict.
using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(args[0]));
while (Console.ReadLine() is string file)
{
    try
    {
        Console.WriteLine(Judge(file, certificate));
    }
    catch (Exception error) when (error is XmlException or CryptographicException or FormatException)
    {
        Console.WriteLine($"refused: {error.GetType().Name}: {error.Message}".Replace("\n", " "));
    }
}

static string Judge(string file, X509Certificate2 certificate)
{
    var document = new XmlDocument { PreserveWhitespace = true };
    using (var reader = XmlReader.Create(file, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit }))
        document.Load(reader);
    var root = document.DocumentElement;
    var found = root.ChildNodes.OfType<XmlElement>()
        .Where(child => child.LocalName == "Signature" && child.NamespaceURI == SignedXml.XmlDsigNamespaceUrl).ToList();
    if (found.Count != 1) return $"refused: {found.Count} signatures";
    var signed = new SignedXml(document);
    signed.LoadXml(found[0]);
    // What is signed has to be what is read.
    var references = signed.SignedInfo.References.Cast<Reference>().ToList();
    if (references.Count != 1 || references[0].Uri != "#" + root.GetAttribute("ID")) return "refused: another reference";
    return signed.CheckSignature(certificate, true) ? $"accepted {root.GetAttribute("entityID")}" : "refused: CheckSignature";
}
