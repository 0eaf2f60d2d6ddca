import java.io.FileInputStream;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/**
 * Holds files against standards: {@code java Check 3a,3b,ua1 FILE…}.
 *
 * <p>One line a standard and file, {@code PASS} or {@code FAIL}, below it each rule that does not hold, how
 * often, and where first. Exits with 1 where any does not, with 2 where a file cannot be read at all.
 */
public final class Check {
    /** A rule that does not hold. */
    private record Broken(long times, String where) {
        Broken and(Broken other) {
            return new Broken(times + other.times, where);
        }
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length < 2) {
            System.err.println("usage: Check STANDARD[,STANDARD…] FILE…");
            System.exit(2);
        }
        VeraGreenfieldFoundryProvider.initialise();
        List<String> files = List.of(arguments).subList(1, arguments.length);
        boolean holds = true;
        for (String name : arguments[0].split(",")) {
            PDFAFlavour standard = PDFAFlavour.fromString(name);
            if (standard == PDFAFlavour.NO_FLAVOUR) {
                System.err.println("no such standard: " + name);
                System.exit(2);
            }
            for (String file : files) {
                holds &= check(standard, name, file);
            }
        }
        System.exit(holds ? 0 : 1);
    }

    private static boolean check(PDFAFlavour standard, String name, String file) throws Exception {
        try (InputStream in = new FileInputStream(file);
                PDFAParser parser = Foundries.defaultInstance().createParser(in, standard);
                PDFAValidator validator = Foundries.defaultInstance().createValidator(standard, false)) {
            ValidationResult result = validator.validate(parser);
            boolean holds = result.isCompliant() && result.getTotalAssertions() > 0;
            System.out.println((holds ? "PASS " : "FAIL ") + name + " " + file + " " + result.getTotalAssertions());
            broken(result).forEach((rule, broken) ->
                    System.out.println("  " + broken.times + " × " + rule + " at " + broken.where));
            return holds;
        }
    }

    private static Map<String, Broken> broken(ValidationResult result) {
        Map<String, Broken> broken = new TreeMap<>();
        for (TestAssertion assertion : result.getTestAssertions()) {
            if (assertion.getStatus() == TestAssertion.Status.FAILED) {
                var id = assertion.getRuleId();
                String rule = id.getClause() + "-" + id.getTestNumber() + ": " + assertion.getMessage();
                broken.merge(rule, new Broken(1, assertion.getLocation().getContext()), Broken::and);
            }
        }
        return broken;
    }
}
