/** Whether a page is for everybody, as far as a machine can tell. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** No finding at all on the page, in either theme. */
export async function spotless(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.evaluate(axe);
    const { passed, found } = await page.evaluate(async () => {
      const result = await window.axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
      });
      return {
        passed: result.passes.length,
        found: result.violations.map(({ id, nodes }) => ({
          id,
          at: nodes.slice(0, 4).map((node) => `${node.target.flat().join(' ')}: ${node.any[0]?.message ?? node.html}`),
        })),
      };
    });
    assert.ok(passed > 5, `${name}: axe looked at nothing`);
    assert.deepEqual(found, [], `${name}, ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}
